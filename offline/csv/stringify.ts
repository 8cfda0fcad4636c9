// Stands in for jsr:@std/csv/stringify where JSR cannot be reached, over csv-stringify.
import { stringify as write } from "npm:csv-stringify@6.9.0/sync";

/** A row: an array of cells or a record. */
export type DataItem = Readonly<Record<string, unknown>> | readonly unknown[];

/** A column: a key of a record or an index of an array. */
export type Column = string | number;

/** How to write. */
export interface StringifyOptions {
  /** Which cells of each row, in order; records need it. */
  readonly columns?: readonly Column[];
  /** Whether the columns' names come first (default true, where there are columns). */
  readonly headers?: boolean;
  /** Default ",". */
  readonly separator?: string;
  /** Whether a byte order mark comes first. */
  readonly bom?: boolean;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Writes rows as CSV with CRLF after each. */
export function stringify(data: readonly DataItem[], options: StringifyOptions = {}): string {
  const { columns = [], headers = true, separator = ",", bom = false } = options;
  if (separator.includes('"') || separator.includes("\r\n")) {
    throw new TypeError(`Cannot use the separator ${JSON.stringify(separator)}`);
  }
  const rows: string[][] = headers && columns.length > 0 ? [columns.map(String)] : [];
  for (const item of data) {
    const named = !Array.isArray(item);
    if (named && columns.length === 0) throw new TypeError("Cannot write a record without columns");
    const values = columns.length === 0
      ? [...item as readonly unknown[]]
      : columns.map((column) => Reflect.get(item, column));
    rows.push(values.map(cell));
  }
  const text = write(rows, {
    delimiter: separator,
    record_delimiter: "\r\n",
    quoted_match: /[\n"]/,
  });
  return bom ? `\ufeff${text}` : text;
}
