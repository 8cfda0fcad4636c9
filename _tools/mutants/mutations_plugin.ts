/**
 * A plugin for `deno lint`, whose parser is Deno's own: reports every mutation of a TypeScript file,
 * an `Edit` as JSON in the message of a diagnostic. Types and what is thrown are left alone.
 */

import { ARITHMETIC, COMPARISONS, type Edit, LOGICAL, otherNumbers } from "./edit.ts";

const SWAPPED = ["-", "/", "%"];
const DROPPED = ["CallExpression", "AwaitExpression", "AssignmentExpression", "UpdateExpression"];

type Binary = Deno.lint.BinaryExpression | Deno.lint.LogicalExpression;

/** Below these nothing is changed: types, and what is thrown. */
const ASIDE = ["TSLiteralType", "ThrowStatement"];

function isText(node: Deno.lint.Node): boolean {
  return node.type === "TemplateLiteral" ||
    node.type === "Literal" && typeof node.value === "string";
}

/** Whether a difference loses its sign at once: exchanging its operands changes nothing. */
function isMagnitude({ operator, parent }: Binary, text: string): boolean {
  if (operator !== "-") return false;
  if (parent.type === "BinaryExpression") {
    return parent.operator === "**" && text.slice(...parent.right.range) === "2";
  }
  return parent.type === "CallExpression" && text.slice(...parent.callee.range) === "Math.abs";
}

/** An edit of the operator between two operands; none where a comment stands beside it. */
function operatorEdit(
  { operator, left, right }: {
    readonly operator: string;
    readonly left: Deno.lint.Node;
    readonly right: Deno.lint.Node;
  },
  { text, kind, now }: { readonly text: string; readonly kind: Edit["kind"]; readonly now: string },
): readonly Edit[] {
  const between = text.slice(left.range[1], right.range[0]);
  if (/\/[/*]/.test(between)) return [];
  const start = left.range[1] + between.indexOf(operator);
  return [{ kind, start, end: start + operator.length, now }];
}

function binaryEdits(node: Binary, text: string): readonly Edit[] {
  const { operator, left, right } = node;
  if (isText(left) || isText(right)) {
    const now = COMPARISONS[operator];
    return now ? operatorEdit(node, { text, kind: "comparison", now }) : [];
  }
  const tables = { comparison: COMPARISONS, logical: LOGICAL, arithmetic: ARITHMETIC } as const;
  const edits = Object.entries(tables).flatMap(([kind, table]) => {
    const now = table[operator];
    return now ? operatorEdit(node, { text, kind: kind as Edit["kind"], now }) : [];
  });
  if (!SWAPPED.includes(operator) || isMagnitude(node, text)) return edits;
  const [a, b] = [left, right].map(({ range }) => text.slice(...range));
  const [start, end] = node.range;
  return [...edits, { kind: "swapped operands", start, end, now: `((${b}) ${operator} (${a}))` }];
}

/** A condition the other way round; a lone comparison is turned round as a comparison. */
function conditionEdits(test: Deno.lint.Expression | null, text: string): readonly Edit[] {
  const isEquality = test?.type === "BinaryExpression" && /^[!=]==?$/.test(test.operator);
  if (!test || isEquality) return [];
  const [start, end] = test.range;
  return [{ kind: "negated condition", start, end, now: `!(${text.slice(start, end)})` }];
}

function literalEdits(node: Deno.lint.Literal): readonly Edit[] {
  const [start, end] = node.range;
  const { value, parent } = node;
  if (typeof value === "boolean") return [{ kind: "constant", start, end, now: `${!value}` }];
  const isKey = parent.type === "Property" && !parent.computed && parent.key.range[0] === start;
  if (typeof value !== "number" || isKey) return [];
  return otherNumbers(value).map(([kind, other]) => ({ kind, start, end, now: `${other}` }));
}

const plugin: Deno.lint.Plugin = {
  name: "mutants",
  rules: {
    mutation: {
      create(context) {
        const { sourceCode } = context;
        const { text } = sourceCode;
        const report = (node: Deno.lint.Node, edits: readonly Edit[]) => {
          if (sourceCode.getAncestors(node).some(({ type }) => ASIDE.includes(type))) return;
          for (const edit of edits) context.report({ node, message: JSON.stringify(edit) });
        };
        const condition = (
          node:
            | Deno.lint.IfStatement
            | Deno.lint.ConditionalExpression
            | Deno.lint.WhileStatement
            | Deno.lint.DoWhileStatement
            | Deno.lint.ForStatement,
        ) => report(node, conditionEdits(node.test, text));
        return {
          IfStatement: condition,
          ConditionalExpression: condition,
          WhileStatement: condition,
          DoWhileStatement: condition,
          ForStatement: condition,
          BinaryExpression: (node) => report(node, binaryEdits(node, text)),
          LogicalExpression: (node) => report(node, binaryEdits(node, text)),
          Literal: (node) => report(node, literalEdits(node)),
          AssignmentExpression(node) {
            const now = ARITHMETIC[node.operator.slice(0, -1)];
            if (!now || isText(node.right)) return;
            report(node, operatorEdit(node, { text, kind: "arithmetic", now: `${now}=` }));
          },
          ExpressionStatement(node) {
            const [start, end] = node.range;
            if (!DROPPED.includes(node.expression.type)) return;
            report(node, [{ kind: "dropped statement", start, end, now: ";" }]);
          },
          AwaitExpression(node) {
            const [start, end] = [node.range[0], node.range[0] + "await".length];
            report(node, [{ kind: "dropped await", start, end, now: "" }]);
          },
          MemberExpression(node) {
            const [start, end] = node.range;
            const now = { "Math.max": "Math.min", "Math.min": "Math.max" }[text.slice(start, end)];
            if (now) report(node, [{ kind: "min/max", start, end, now }]);
          },
        };
      },
    },
  },
};

export default plugin;
