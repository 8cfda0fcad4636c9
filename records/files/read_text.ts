/** Files that are read whole are at most so large. */
export const MAX_TEXT_BYTES = 2 ** 28;

/** A path at which there is something else than a file that can be read whole. */
export class UnusualFileError extends Error {}

/**
 * Reads a file of text whole, without its byte order mark. What is no regular file (a device or a pipe would
 * never end) or larger than `maxBytes` is not opened.
 *
 * Needs read permission.
 * @throws {UnusualFileError} where it is none that can be read whole.
 * @throws {Deno.errors.NotFound} and Deno's other errors where it cannot be read.
 */
export function readText(path: string, maxBytes = MAX_TEXT_BYTES): string {
  return withoutMark(readMarkedText(path, maxBytes));
}

/** As {@linkcode readText}, with the byte order mark where there is one: for who counts bytes of the file. */
export function readMarkedText(path: string, maxBytes = MAX_TEXT_BYTES): string {
  requireRegularFile(path, maxBytes);
  return Deno.readTextFileSync(path);
}

/** A text without the byte order mark that some editors and spreadsheets put in front. */
export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}

/**
 * Refuses what is no regular file, or larger than `maxBytes`, without opening it.
 * @throws {UnusualFileError} which says so.
 */
export function requireRegularFile(path: string, maxBytes = Infinity): void {
  const { isFile, isDirectory, size } = Deno.statSync(path);
  if (isDirectory) throw new Deno.errors.IsADirectory(`"${path}" is a folder`);
  if (!isFile) throw new UnusualFileError("is no regular file");
  if (size > maxBytes) {
    throw new UnusualFileError(`has ${size} bytes; at most ${maxBytes} are read`);
  }
}
