/** Keeps two runs out of one folder. */

import { join } from "node:path";
import { FileError } from "./file_error.ts";
import { isNamed, openOwn } from "./open_own.ts";

/**
 * An exclusive lock on a folder, held through an open file `.lock` in it.
 *
 * The system frees it when the process ends, however it ends, so a dead run blocks nobody.
 */
export class FolderLock implements Disposable {
  readonly folder: string;
  readonly #file: Deno.FsFile;

  private constructor(folder: string, file: Deno.FsFile) {
    this.folder = folder;
    this.#file = file;
  }

  /**
   * Takes the lock of a folder; `isNew`: no other run may ever have taken it.
   *
   * Needs read and write permission. FileError where another run has it.
   */
  static take(folder: string, { isNew }: { readonly isNew: boolean }): FolderLock {
    const path = join(folder, ".lock");
    const action = "lock the run folder";
    let file: Deno.FsFile;
    try {
      file = isNew ? Deno.openSync(path, { write: true, createNew: true }) : openOwn(path, action);
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      const known = cause instanceof Deno.errors.AlreadyExists ? "another run uses it" : cause;
      throw new FileError(action, folder, { cause: known });
    }
    if (!file.tryLockSync(true) || !isStillThere(path, file)) {
      file.close();
      throw new FileError(action, folder, { cause: "another run uses it" });
    }
    return new FolderLock(folder, file);
  }

  [Symbol.dispose](): void {
    try {
      Deno.removeSync(join(this.folder, ".lock"));
    } catch {
      // The folder may have gone; an unlocked file left behind blocks nobody.
    }
    this.#file.close();
  }
}

/** A run that ends removes its lock file; a lock on the removed file keeps nobody out. */
function isStillThere(path: string, file: Deno.FsFile): boolean {
  try {
    return isNamed(path, file);
  } catch {
    return false;
  }
}
