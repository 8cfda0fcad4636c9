/** Writes CSV files of results: each row is whole on the disk as soon as it is finished. */

import { stringify } from "@std/csv";
import { AppendFile } from "./append_file.ts";
import type { Cell, Column } from "./column.ts";
import { guardText, readRows } from "./csv_reader.ts";
import { RunFolderError } from "./run_folder_error.ts";

/** Appends rows to a CSV file. */
export class CsvWriter implements Disposable {
  readonly #file: AppendFile;
  readonly #columns: readonly Column[];

  /** Takes an open file whose header is there. */
  private constructor(file: AppendFile, columns: readonly Column[]) {
    this.#file = file;
    this.#columns = columns;
  }

  /**
   * Opens a file and writes its header if it is new; a row that was cut off is dropped.
   *
   * Needs read and write permission. RunFolderError where it cannot be opened or has other columns.
   */
  static open(path: string, columns: readonly Column[]): CsvWriter {
    const headers = columns.map((column) => column.header);
    let keepBytes = 0;
    if (exists(path)) {
      const old = readRows(path);
      if (old.headers.length > 0 && old.headers.join() !== headers.join()) {
        throw new RunFolderError("append to", path, { cause: "it has other columns" });
      }
      keepBytes = old.lengthBytes;
    }
    const file = AppendFile.open(path, { keepBytes });
    if (keepBytes === 0) file.append(stringify([headers]));
    return new CsvWriter(file, columns);
  }

  /** Appends one row and flushes it. RunFolderError where it does not fit; nothing of it stays. */
  write(row: Readonly<Record<string, Cell>>): void {
    const cells = this.#columns.map(({ header, kind, format }) => {
      const text = format(row[header]);
      return kind === "text" ? guardText(text) : text;
    });
    this.#file.append(stringify([cells]));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
