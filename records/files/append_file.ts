/** A text file that grows by whole pieces: a piece is there entirely or not at all. */

import { FileError } from "./file_error.ts";
import { openOwn } from "./open_own.ts";

/** The part of Deno.FsFile that is needed; tests put a full disk in its place. */
export type WritableFile = Pick<
  Deno.FsFile,
  "writeSync" | "truncateSync" | "seekSync" | "syncDataSync" | "close"
>;

/** A file to append to; every piece is flushed to the disk before `append` returns. */
export class AppendFile implements Disposable {
  readonly path: string;
  readonly #file: WritableFile;
  readonly #inode: number | undefined;
  #lengthBytes: number;

  /** Takes a file that is open for writing, holds `lengthBytes` bytes, and is `inode` where that is known. */
  constructor(
    path: string,
    { file, lengthBytes, inode }: {
      readonly file: WritableFile;
      readonly lengthBytes: number;
      readonly inode?: number | undefined;
    },
  ) {
    this.path = path;
    this.#file = file;
    this.#lengthBytes = lengthBytes;
    this.#inode = inode;
  }

  /**
   * Opens a file, makes it where it is not there, and cuts it to `keepBytes`.
   *
   * Needs read and write permission. FileError where it cannot be opened, or is a link.
   */
  static open(path: string, { keepBytes }: { readonly keepBytes: number }): AppendFile {
    const file = openOwn(path);
    try {
      const { size, ino } = file.statSync();
      const inode = ino ?? undefined;
      const appendFile = new AppendFile(path, { file, lengthBytes: keepBytes, inode });
      if (size !== keepBytes) file.truncateSync(keepBytes);
      return appendFile;
    } catch (cause) {
      file.close();
      throw new FileError("open", path, { cause });
    }
  }

  /**
   * Appends a piece; FileError where the disk takes only a part of it, which is taken back, and where
   * another file, or none, has the name by now.
   */
  append(piece: string): void {
    const bytes = new TextEncoder().encode(piece);
    try {
      this.#checkPlace();
      this.#file.seekSync(this.#lengthBytes, Deno.SeekMode.Start);
      let written = 0;
      while (written < bytes.length) {
        const count = this.#file.writeSync(bytes.subarray(written));
        if (count === 0) throw new FileError("write to", this.path, { cause: "it is full" });
        written += count;
      }
      this.#file.syncDataSync();
    } catch (cause) {
      this.#takeBack();
      if (cause instanceof FileError) throw cause;
      throw new FileError("write to", this.path, { cause });
    }
    this.#lengthBytes += bytes.length;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** What is written to a file that was removed meanwhile is lost without a word. */
  #checkPlace(): void {
    if (this.#inode === undefined || Deno.statSync(this.path).ino === this.#inode) return;
    throw new FileError("write to", this.path, { cause: "another file has its name by now" });
  }

  /** Best effort: the error that led here says more, and readers drop a cut last piece anyway. */
  #takeBack(): void {
    try {
      this.#file.truncateSync(this.#lengthBytes);
    } catch {
      // A device, or a file system that has gone: there is nothing to cut.
    }
  }
}
