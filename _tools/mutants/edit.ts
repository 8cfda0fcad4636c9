/** What a mutation does to what is measured, moved or decided. */
export type MutationKind =
  | "comparison"
  | "off by one"
  | "swapped operands"
  | "dropped statement"
  | "constant"
  | "dropped await"
  | "logical"
  | "arithmetic"
  | "negated condition"
  | "min/max";

/** A mutation of a text: `now` in place of the UTF-16 code units from `start` to before `end`. */
export interface Edit {
  readonly kind: MutationKind;
  readonly start: number;
  readonly end: number;
  readonly now: string;
}

export const COMPARISONS: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "!=",
  "!=": "==",
  "===": "!==",
  "!==": "===",
};

export const LOGICAL: Readonly<Record<string, string>> = { "&&": "||", "||": "&&" };

export const ARITHMETIC: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
};

/** What a number is changed to: its neighbours where it is whole, the double, and a tenth. */
export function otherNumbers(value: number): readonly (readonly [MutationKind, number])[] {
  const isWhole = Number.isSafeInteger(value);
  const neighbours = isWhole ? [value + 1, ...(value > 0 ? [value - 1] : [])] : [];
  const scaled = [2 * value, ...(isWhole && value % 10 !== 0 ? [] : [value / 10])];
  return [
    ...neighbours.map((other) => ["off by one", other] as const),
    ...scaled.filter((other) => other !== value && !neighbours.includes(other))
      .map((other) => ["constant", other] as const),
  ];
}
