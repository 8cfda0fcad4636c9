import { ARITHMETIC, COMPARISONS, type Edit, LOGICAL, otherNumbers } from "./edit.ts";

/** Comments, attributes with their numbers, and types' sizes: nothing of them is a computation. */
const ASIDE = /\/\/.*|@\w+(\([^)]*\))?|\b(array|vec[234]|mat\dx\d|ptr|atomic)<[^;{=]*>/g;
/** An operator between blanks, a number, min and max, true and false. */
const TOKEN =
  /(?<= )(?<operator>[<>=!]=|&&|\|\||[-+*/]=?|[<>])(?= )|(?<![\w.])(?<number>\d+\.?\d*(?:e[-+]?\d+)?)(?<suffix>[ufih]?)(?![\w.])|\b(?<word>min|max|true|false)\b/g;
const WORDS: Readonly<Record<string, readonly [Edit["kind"], string]>> = {
  min: ["min/max", "max"],
  max: ["min/max", "min"],
  true: ["constant", "false"],
  false: ["constant", "true"],
};

function operatorChange(operator: string): readonly [Edit["kind"], string] | undefined {
  if (COMPARISONS[operator]) return ["comparison", COMPARISONS[operator]];
  if (LOGICAL[operator]) return ["logical", LOGICAL[operator]];
  const isAssignment = operator.endsWith("=");
  const now = ARITHMETIC[isAssignment ? operator.slice(0, -1) : operator];
  return now ? ["arithmetic", isAssignment ? `${now}=` : now] : undefined;
}

/** Every mutation of a shader, found by its tokens: operators, constants, min and max. */
export function wgslMutations(text: string): readonly Edit[] {
  const code = text.replaceAll(ASIDE, (aside) => "#".repeat(aside.length));
  return [...code.matchAll(TOKEN)].flatMap((match) => {
    const { operator, number, suffix = "", word } = match.groups!;
    const [start, end] = [match.index, match.index + match[0].length];
    if (number !== undefined) {
      const isReal = /[.e]/.test(number) || suffix === "f" || suffix === "h";
      return otherNumbers(Number(number))
        .filter(([kind, other]) =>
          Number.isInteger(other) ? !isReal || kind === "constant" : isReal
        )
        .map(([kind, other]) => {
          const isBare = isReal && suffix === "" && Number.isInteger(other);
          return { kind, start, end, now: `${other}${isBare ? ".0" : suffix}` };
        });
    }
    const change = operator === undefined ? WORDS[word!] : operatorChange(operator);
    return change ? [{ kind: change[0], start, end, now: change[1] }] : [];
  });
}
