import { FileError } from "./file_error.ts";

/**
 * Opens a regular file for writing, made where it is not there. A link is refused, wherever it leads, and so
 * is a device or a pipe: nothing but the file of this very name is written.
 *
 * Needs read and write permission. FileError where it cannot be opened.
 */
export function openOwn(path: string, action = "open"): Deno.FsFile {
  try {
    return Deno.openSync(path, { write: true, createNew: true });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw new FileError(action, path, { cause });
  }
  let file: Deno.FsFile | undefined;
  try {
    // Looked at before, since opening a pipe waits, and after, since it may have been replaced meanwhile.
    if (Deno.lstatSync(path).isFile) file = Deno.openSync(path, { write: true });
    if (file && isNamed(path, file)) return file;
  } catch (cause) {
    file?.close();
    throw new FileError(action, path, { cause });
  }
  file?.close();
  throw new FileError(action, path, { cause: "it is a link, or no regular file" });
}

/** Whether an open file is the one of a name, without following a link. */
export function isNamed(path: string, file: Deno.FsFile): boolean {
  const [named, open] = [Deno.lstatSync(path), file.statSync()];
  return named.isFile && named.ino === open.ino && named.dev === open.dev;
}
