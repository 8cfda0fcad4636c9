import { FileError } from "./file_error.ts";

/** Whether there is a file, a folder or a link. Needs read permission; FileError where it cannot be said. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    if (cause instanceof Deno.errors.NotADirectory) return false;
    throw new FileError("look for", path, { cause });
  }
}
