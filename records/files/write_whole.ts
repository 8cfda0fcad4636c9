import { FileError } from "./file_error.ts";

/** A file that appears under its name when it is whole: a reader sees the old one or the new one. */
export class WholeFile implements Disposable {
  readonly path: string;
  readonly #draft: string;
  readonly #file: Deno.FsFile;
  #isOpen = true;

  /** Starts a draft beside the file. Needs write permission; FileError where it cannot be made. */
  constructor(path: string) {
    this.path = path;
    this.#draft = `${path}.${crypto.randomUUID()}.part`;
    this.#file = this.#attempt(() => Deno.openSync(this.#draft, { write: true, createNew: true }));
  }

  /** Appends to the draft. FileError where the disk does not take it. */
  append(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#attempt(() => {
      for (let done = 0; done < bytes.length;) done += this.#file.writeSync(bytes.subarray(done));
    });
  }

  /** Gives the draft the file's name, once it is on the disk. FileError where that cannot be. */
  finish(): void {
    this.#attempt(() => {
      this.#file.syncSync();
      Deno.renameSync(this.#draft, this.path);
    });
    this.#isOpen = false;
    this.#file.close();
  }

  /** Removes what was not finished. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    try {
      Deno.removeSync(this.#draft);
    } catch {
      // The folder may have gone, with the draft; the error that led here says more.
    }
  }

  #attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw new FileError("write", this.path, { cause });
    }
  }
}

/** Writes a text file in one step. Needs write permission; FileError where it cannot be written. */
export function writeWhole(path: string, text: string): void {
  using file = new WholeFile(path);
  file.append(text);
  file.finish();
}

/** Writes a text file that is not there yet. Needs write permission; FileError where it is there, or cannot be. */
export function writeNew(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text, { createNew: true });
  } catch (cause) {
    throw new FileError("write", path, { cause });
  }
}
