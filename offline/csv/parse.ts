// Stands in for jsr:@std/csv/parse where JSR cannot be reached, over csv-parse.
import { CsvError, parse as read } from "npm:csv-parse@7.0.3/sync";

/** How to read. */
export interface ParseOptions {
  /** Default ",". */
  readonly separator?: string;
  /** Rows become records named by row 1. */
  readonly skipFirstRow?: boolean;
  /** How many cells a row must have; 0: as many as row 1. */
  readonly fieldsPerRecord?: number;
  /** Rows become records with these names. */
  readonly columns?: readonly string[];
}

/** Reads CSV: rows of cells, or records where the options name the fields. */
export function parse(input: string): string[][];
export function parse(
  input: string,
  options: ParseOptions & { skipFirstRow: true },
): Record<string, string>[];
export function parse<C extends string>(
  input: string,
  options: ParseOptions & { columns: readonly C[] },
): Record<C, string>[];
export function parse(
  input: string,
  options: ParseOptions & { skipFirstRow?: false; columns?: never },
): string[][];
export function parse(input: string, options: ParseOptions): string[][] | Record<string, string>[];
export function parse(
  input: string,
  options: ParseOptions = {},
): string[][] | Record<string, string>[] {
  const { separator = ",", skipFirstRow = false } = options;
  if (skipFirstRow && input === "") throw new TypeError("Cannot read the header of an empty text");
  let rows: string[][];
  try {
    rows = read(input, {
      delimiter: separator,
      relax_column_count: true,
      skip_empty_lines: true,
      bom: true,
      record_delimiter: ["\n", "\r\n"],
    }) as string[][];
  } catch (error) {
    if (error instanceof CsvError) throw new SyntaxError(error.message);
    throw error;
  }
  const wanted = options.fieldsPerRecord === 0 ? rows[0]?.length : options.fieldsPerRecord;
  if (wanted !== undefined) {
    for (const [i, row] of rows.entries()) {
      if (row.length === wanted) continue;
      throw new SyntaxError(
        `Syntax error on line ${i + 1}: expected ${wanted} fields but got ${row.length}`,
      );
    }
  }
  const names = options.columns ?? (skipFirstRow ? rows[0] : undefined);
  if (!names) return rows;
  return rows.slice(skipFirstRow ? 1 : 0).map((row, i) => {
    if (row.length !== names.length) {
      throw new Error(
        `Syntax error on line ${
          i + 1 + (skipFirstRow ? 1 : 0)
        }: The record has ${row.length} fields, ` +
          `but the header has ${names.length} fields`,
      );
    }
    return Object.fromEntries(names.map((name, column) => [name, row[column] ?? ""]));
  });
}
