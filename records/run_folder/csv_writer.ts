/** Writes CSV files of results: each row is whole on the disk as soon as it is finished. */

import { join } from "node:path";
import { AppendFile } from "../files/append_file.ts";
import { readRows } from "../files/csv_rows.ts";
import { exists } from "../files/exists.ts";
import { FileError } from "../files/file_error.ts";
import { type Cells, type Column, formatCell } from "../rows/column.ts";
import { csvHeader, csvLines } from "../rows/csv_text.ts";
import { columnsOf } from "../rows/row.ts";
import type { Suite } from "../rows/suite.ts";

/** The CSV file of a suite in a run folder; rows are appended as they finish. */
export class CsvWriter implements Disposable {
  readonly path: string;
  /** The rows that were there already, by key. */
  readonly finished: ReadonlyMap<string, Cells>;
  readonly #file: AppendFile;
  readonly #columns: readonly Column[];

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
    this.finished = new Map(old?.rows.map((row) => [row["row_key"] ?? "", row]));
    this.#file = AppendFile.open(this.path, { keepBytes: old?.lengthBytes ?? 0 });
    if (!old?.lengthBytes) this.#file.append(csvHeader(this.#columns));
  }

  /** The cells of a row as they are written, by header; without the guard against formulas. */
  cells(row: Cells): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#columns.map(({ header }) => [header, formatCell(row[header])]),
    );
  }

  /** Appends one row and flushes it. FileError where it does not fit; nothing of it stays. */
  write(row: Cells): void {
    this.#file.append(csvLines(this.#columns, [row]));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
