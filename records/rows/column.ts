/** One column of a CSV file: what it is called, what it means, how its cells come about and are written. */

/** What a cell holds, by kind of column. */
export interface CellValues {
  readonly text: string;
  readonly count: number | bigint;
  readonly number: number;
  readonly flag: boolean;
}

/** A value of any cell; undefined is a blank cell. */
export type Cell = CellValues[keyof CellValues] | undefined;

/** Cells by header: values, or the texts of a file. */
export type Cells = Readonly<Record<string, Cell>>;

/**
 * Raw samples of a row, in the order in which they were taken, by name with unit: `gpu_us`, `wall_ms`.
 * @internal
 */
export type Series = Readonly<Record<string, readonly number[]>>;

/**
 * Single numbers that cells of a row are computed from, by name with unit, such as what the run measured
 * as the adapter's ceilings.
 * @internal
 */
export type Facts = Readonly<Record<string, number>>;

/** What a list of columns says about one of them. */
export interface ColumnText {
  readonly kind: keyof CellValues;
  readonly meaning: string;
  readonly unit?: string;
  /**
   * Whether it is an independent variable, part of the row key; a text is its name in the key, where
   * columns of other names stand last.
   */
  readonly key?: true | string;
  /** What a label says in front of the value, `=` between them. */
  readonly short?: string;
  /** The value that labels leave out. */
  readonly usual?: Cell;
  /** The value in the rows that a row's speed-up refers to, which otherwise have the same key. */
  readonly base?: Cell;
  /** Whether rows of any value are referred to: the best of them counts. */
  readonly anyBase?: true;
  /**
   * Computes the cell of a row that has samples: from the cells of the columns before it and the measured
   * ones, among which the row's facts stand under their names, the samples, and the cells of the rows that
   * speed-ups refer to.
   */
  readonly derive?: (row: Cells, series: Series, bases: readonly Cells[]) => Cell;
}

/** A column of a CSV file. */
export interface Column extends ColumnText {
  readonly header: string;
  /** The unit as the data dictionary says it; "-" where there is none. */
  readonly unit: string;
}

/** Columns by header, in the order in which they are written. */
export type ColumnTexts = Readonly<Record<string, ColumnText>>;

/** The record with one field for each column: key columns must be there, others may be undefined. */
export type RowOf<Texts extends ColumnTexts> =
  & KeyOf<Texts>
  & {
    readonly [Header in Exclude<keyof Texts, KeyHeaders<Texts>>]?:
      | CellValues[Texts[Header]["kind"]]
      | undefined;
  };

/** The record of the independent variables alone. */
export type KeyOf<Texts extends ColumnTexts> = {
  readonly [Header in KeyHeaders<Texts>]: CellValues[Texts[Header]["kind"]];
};

type KeyHeaders<Texts extends ColumnTexts> = {
  [Header in keyof Texts]: Texts[Header] extends { readonly key: true | string } ? Header : never;
}[keyof Texts];

/** What need not be said of a column. */
type More = Omit<ColumnText, "kind" | "meaning">;

/** Says what a column of a kind means, and whatever else there is to it. */
function textOf<Kind extends keyof CellValues>(kind: Kind) {
  return <const Rest extends More>(meaning: string, more = {} as Rest) => ({
    kind,
    meaning,
    ...more,
  });
}

/** A column of texts. */
export const text = textOf("text");
/** A column of whole numbers. */
export const count = textOf("count");
/** A column that is true or false. */
export const flag = textOf("flag");

/** A column of measured numbers. */
export function number<const Rest extends More>(
  unit: string,
  meaning: string,
  more = {} as Rest,
) {
  return { kind: "number", unit, meaning, ...more } as const;
}

/** Numbers are written with this many significant digits. */
const SIGNIFICANT_DIGITS = 7;

/** Makes columns of their texts, in the order in which they are written. */
export function makeColumns(texts: ColumnTexts): readonly Column[] {
  return Object.entries(texts).map(([header, text]) => ({ unit: "-", ...text, header }));
}

/**
 * Writes a cell, without the quoting and the guard against formulas that CSV adds: blank for undefined
 * and for numbers that are not finite.
 */
export function formatCell(value: Cell): string {
  if (value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "";
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(SIGNIFICANT_DIGITS)));
}
