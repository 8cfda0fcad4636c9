import { z } from "zod";
import { CONFIG_SCHEMA } from "./config_schema.ts";
import { type ConfigProblem, describeProblem, showValue } from "./config_error.ts";

/** The part of a JSON schema that this file reads. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Of other keys; false where there may be none. */
  readonly additionalProperties?: JsonSchema | false;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Turns what zod found into problems; what is legal is read from the same schema. */
export function schemaProblems(document: unknown, error: z.ZodError): readonly ConfigProblem[] {
  const schema = z.toJSONSchema(CONFIG_SCHEMA, { io: "input" }) as JsonSchema;
  return error.issues.flatMap((issue) => issueProblems({ document, schema }, issue));
}

interface Context {
  readonly document: unknown;
  readonly schema: JsonSchema;
}

function issueProblems(context: Context, issue: z.core.$ZodIssue): ConfigProblem[] {
  if (issue.code === "unrecognized_keys") {
    const legal = legalKeys(context, issue.path);
    return issue.keys.map((key) => {
      const place = {
        path: [...issue.path, key].join("."),
        found: `the unknown key ${showValue(key)}`,
      };
      return describeProblem(place, legal);
    });
  }
  if (issue.code === "invalid_union") {
    const deeper = issue.errors.find((branch) => branch.every(({ path }) => path.length > 0));
    if (deeper !== undefined && deeper.length > 0) {
      return deeper.flatMap((inner) =>
        issueProblems(context, { ...inner, path: [...issue.path, ...inner.path] })
      );
    }
  }
  const legal = describeLegal(schemaAt(context.schema, issue.path));
  return [describeProblem(placeOf(context, issue.path), legal)];
}

/** The keys that the object at a path may have. */
function legalKeys(context: Context, path: readonly PropertyKey[]): string {
  const parent = valueAt(context.document, path);
  const keys = schemasAt(context.schema, path)
    .filter((option) => fitsKind(option, parent))
    .flatMap((option) => Object.keys(option.properties ?? {}));
  return [...new Set(keys)].join(", ");
}

/** Of a choice of objects told apart by `kind`, only the one that the document chose is meant. */
function fitsKind(option: JsonSchema, value: unknown): boolean {
  const kind = option.properties?.["kind"]?.const;
  return kind === undefined || kind === valueAt(value, ["kind"]);
}

function placeOf(context: Context, path: readonly PropertyKey[]) {
  return { path: path.join("."), found: showValue(valueAt(context.document, path)) };
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return at;
}

function schemaAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema {
  const found = schemasAt(schema, path);
  const [only] = found;
  return found.length === 1 && only !== undefined ? only : { anyOf: found };
}

function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  return path.reduce<readonly JsonSchema[]>(
    (options, key) => options.flatMap((option) => choices(option).flatMap((at) => step(at, key))),
    [schema],
  ).flatMap((option) => option.oneOf ?? [option]);
}

function step(schema: JsonSchema, key: PropertyKey): readonly JsonSchema[] {
  const next = typeof key === "number"
    ? schema.prefixItems?.[key] ?? schema.items
    : schema.properties?.[String(key)] ?? schema.additionalProperties;
  return next ? [next] : [];
}

function choices(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ?? schema.oneOf ?? [schema];
}

/** Says in words what a schema accepts. */
function describeLegal(schema: JsonSchema): string {
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return [...new Set(options.map(describeLegal))].join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  }
  if (schema.type === "array") return describeList(schema);
  if (schema.type === "object") return describeObject(schema);
  if (schema.type === "integer" || schema.type === "number") return describeNumber(schema);
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "null") return "null";
  const text = schema.minLength === undefined ? "a text" : "a text that is not empty";
  return schema.description === undefined ? text : `${text} (${schema.description})`;
}

function describeList(schema: JsonSchema): string {
  const item = schema.prefixItems?.[0] ?? schema.items;
  const repeats = schema.uniqueItems === true ? " without repeats" : "";
  return `a list${repeats}, not empty, of ${item === undefined ? "values" : describeLegal(item)}`;
}

function describeObject(schema: JsonSchema): string {
  const keys = Object.keys(schema.properties ?? {});
  return keys.length === 0 ? "an object" : `an object with ${keys.join(", ")}`;
}

function describeNumber(schema: JsonSchema): string {
  const kind = schema.type === "integer" ? "a whole number" : "a number";
  const { minimum, exclusiveMinimum, maximum, multipleOf } = schema;
  const bounds = [
    minimum === undefined ? "" : `${minimum} or more`,
    exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`,
    maximum === undefined ? "" : `at most ${maximum}`,
    multipleOf === undefined ? "" : `a multiple of ${multipleOf}`,
  ].filter((bound) => bound !== "");
  return [kind, ...bounds].join(", ");
}
