import { stringify } from "@std/csv";
import { guardText } from "../files/csv_rows.ts";
import { type Cells, type Column, formatCell } from "./column.ts";

/** The header line of a CSV file. */
export function csvHeader(columns: readonly Column[]): string {
  return stringify([columns.map(({ header }) => header)]);
}

/** Rows as lines of a CSV file, without its header. */
export function csvLines(columns: readonly Column[], rows: readonly Cells[]): string {
  return stringify(rows.map((row) =>
    columns.map(({ header, kind }) => {
      const text = formatCell(row[header]);
      return kind === "text" ? guardText(text) : text;
    })
  ));
}
