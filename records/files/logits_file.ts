import { RunFolderError } from "./file_error.ts";

/** The CSV file of all logits; it appears under its name when it is whole. */
export class LogitsFile implements Disposable {
  readonly #path: string;
  readonly #part: string;
  readonly #file: Deno.FsFile;
  #isOpen = true;

  private constructor(path: string, part: string) {
    this.#path = path;
    this.#part = part;
    this.#file = Deno.openSync(part, { write: true, createNew: true });
  }

  /** Starts a file beside the one it will be. */
  static create(path: string): LogitsFile {
    try {
      const file = new LogitsFile(path, `${path}.${crypto.randomUUID()}.part`);
      file.#append("position,token_id,logit\r\n");
      return file;
    } catch (cause) {
      throw new RunFolderError("write logits to", path, { cause });
    }
  }

  /** Adds the logits of one generated token: position counts from 0. */
  write(position: number, logits: Float32Array): void {
    try {
      this.#append(Array.from(logits, (logit, id) => `${position},${id},${logit}\r\n`).join(""));
    } catch (cause) {
      throw new RunFolderError("write logits to", this.#path, { cause });
    }
  }

  /** Gives the file its name. */
  finish(): void {
    this.#close();
    Deno.renameSync(this.#part, this.#path);
  }

  /** Removes what was not finished. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#close();
    Deno.removeSync(this.#part);
  }

  #close(): void {
    this.#isOpen = false;
    this.#file.close();
  }

  #append(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += this.#file.writeSync(bytes.subarray(done));
  }
}
