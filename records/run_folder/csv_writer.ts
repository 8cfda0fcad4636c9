/** Writes CSV files of results: each row is whole on the disk as soon as it is finished. */

import { stringify } from "@std/csv";
import { AppendFile } from "../files/append_file.ts";
import { join } from "node:path";
import type { Cell, Column } from "../rows/column.ts";
import type { Suite } from "../rows/suite.ts";
import { guardText, readRows } from "../files/csv_rows.ts";
import { columnsOf } from "../rows/row.ts";
import { exists } from "../files/exists.ts";
import { FileError } from "../files/file_error.ts";

/** The CSV file of a suite in a run folder; rows are appended as they finish. */
export class CsvWriter implements Disposable {
  readonly path: string;
  /** Keys of the rows that were there already: a resumed run need not measure them again. */
  readonly finished: ReadonlySet<string>;
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
    this.finished = new Set(old?.rows.map((row) => row["row_key"] ?? ""));
    this.#file = AppendFile.open(this.path, { keepBytes: old?.lengthBytes ?? 0 });
    if (!old?.lengthBytes) this.#file.append(stringify([headers]));
  }

  /** The cells of a row as they are written, by header; without the guard against formulas. */
  cells(row: Readonly<Record<string, Cell>>): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#columns.map(({ header, format }) => [header, format(row[header])]),
    );
  }

  /** Appends one row and flushes it. FileError where it does not fit; nothing of it stays. */
  write(row: Readonly<Record<string, Cell>>): void {
    const cells = this.cells(row);
    const texts = this.#columns.map(({ header, kind }) =>
      kind === "text" ? guardText(cells[header]!) : cells[header]!
    );
    this.#file.append(stringify([texts]));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
