/** One column of a CSV file: what it is called, what it means, how its cells are written. */

import type { Suite } from "./suite.ts";

/** What a cell holds, by kind of column. */
export interface CellValues {
  readonly text: string;
  readonly count: number | bigint;
  readonly number: number;
  readonly flag: boolean;
}

/** A value of any cell; undefined is a blank cell. */
export type Cell = CellValues[keyof CellValues] | undefined;

/** A column of the CSV files of one or more suites. */
export interface Column {
  readonly header: string;
  readonly suites: readonly Suite[];
  /** The unit as the data dictionary says it; "-" where there is none. */
  readonly unit: string;
  readonly meaning: string;
  readonly kind: keyof CellValues;
  /** Whether it is an independent variable, part of the row key. */
  readonly key: boolean;
  /** Writes a cell, without the quoting and the guard against formulas that CSV adds. */
  readonly format: (value: Cell) => string;
}

/** What a list of columns says about one of them; the rest follows from it. */
export interface ColumnText {
  readonly kind: keyof CellValues;
  readonly meaning: string;
  readonly unit?: string;
  readonly key?: true;
}

/** The record with one field for each column: key columns must be there, others may be undefined. */
export type RowOf<Texts extends Readonly<Record<string, ColumnText>>> =
  & {
    readonly [Header in KeyHeaders<Texts>]: CellValues[Texts[Header]["kind"]];
  }
  & {
    readonly [Header in Exclude<keyof Texts, KeyHeaders<Texts>>]?:
      | CellValues[Texts[Header]["kind"]]
      | undefined;
  };

type KeyHeaders<Texts extends Readonly<Record<string, ColumnText>>> = {
  [Header in keyof Texts]: Texts[Header] extends { readonly key: true } ? Header : never;
}[keyof Texts];

/** Numbers are written with this many significant digits. */
export const SIGNIFICANT_DIGITS = 7;

/** Makes columns of their texts, in the order in which they are written. */
export function makeColumns(
  texts: Readonly<Record<string, ColumnText>>,
  { suites }: { readonly suites: readonly Suite[] },
): readonly Column[] {
  return Object.entries(texts).map(([header, { kind, meaning, unit = "-", key = false }]) => ({
    header,
    suites,
    unit,
    meaning,
    kind,
    key,
    format: formatCell,
  }));
}

/** Writes a cell: blank for undefined and for numbers that are not finite. */
export function formatCell(value: Cell): string {
  if (value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "";
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(SIGNIFICANT_DIGITS)));
}
