/** Writes CSV files of results: each row is whole on the disk as soon as it is finished. */

import { join } from "node:path";
import { AppendFile } from "../files/append_file.ts";
import { readRows } from "../files/csv_rows.ts";
import { exists } from "../files/exists.ts";
import { FileError } from "../files/file_error.ts";
import { writeWhole } from "../files/write_whole.ts";
import { type Cells, type Column, formatCell } from "../rows/column.ts";
import { csvHeader, csvLines } from "../rows/csv_text.ts";
import { columnsOf } from "../rows/row.ts";
import type { Suite } from "../rows/suite.ts";

/** A row as its file has it: texts by header. */
type TextCells = Readonly<Record<string, string>>;

/** The CSV file of a suite in a run folder; rows are appended as they finish. */
export class CsvWriter implements Disposable {
  readonly path: string;
  readonly #columns: readonly Column[];
  readonly #rows: Map<string, TextCells>;
  #file: AppendFile;

  /**
   * Opens `<folder>/<suite>.csv`, with its header if it is new; a row that was cut off is dropped.
   *
   * Needs read and write permission. FileError where it cannot be opened or has other columns.
   */
  constructor(folder: string, { suite }: { readonly suite: Suite }) {
    this.path = join(folder, `${suite}.csv`);
    this.#columns = columnsOf(suite);
    const headers = this.#columns.map((column) => column.header);
    const old = exists(this.path) ? readRows(this.path) : undefined;
    if (old && old.headers.length > 0 && old.headers.join() !== headers.join()) {
      throw new FileError("append to", this.path, { cause: "it has other columns" });
    }
    this.#rows = new Map(old?.rows.map((row) => [row["row_key"] ?? "", row]));
    this.#file = AppendFile.open(this.path, { keepBytes: old?.lengthBytes ?? 0 });
    if (!old?.lengthBytes) this.#file.append(csvHeader(this.#columns));
  }

  /** The rows that are there, by key, in the order of the file. */
  get rows(): ReadonlyMap<string, TextCells> {
    return this.#rows;
  }

  /** The cells of a row as they are written, by header; without the guard against formulas. */
  cells(row: Cells): TextCells {
    return Object.fromEntries(
      this.#columns.map(({ header }) => [header, formatCell(row[header])]),
    );
  }

  /**
   * Appends one row and flushes it; a row of its key that is there already gives way to it, in one step.
   * FileError where it does not fit; nothing of it stays.
   */
  write(row: Cells): void {
    const key = formatCell(row["row_key"]);
    const isThere = this.#rows.has(key);
    if (isThere) this.replaceAll(new Map([...this.#rows, [key, this.cells(row)]]));
    else this.#file.append(csvLines(this.#columns, [row]));
    this.#rows.set(key, this.cells(row));
  }

  /** Writes the file anew with these rows, in one step. */
  replaceAll(rows: ReadonlyMap<string, Cells>): void {
    const texts = [...rows].map(([key, row]) => [key, this.cells(row)] as const);
    const text = csvHeader(this.#columns) + csvLines(this.#columns, texts.map(([, row]) => row));
    writeWhole(this.path, text);
    this.#file[Symbol.dispose]();
    const keepBytes = new TextEncoder().encode(text).length;
    this.#file = AppendFile.open(this.path, { keepBytes });
    this.#rows.clear();
    for (const [key, row] of texts) this.#rows.set(key, row);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
