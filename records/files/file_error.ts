/** A file or a folder that cannot be made, read or written. */
export class FileError extends Error {
  /** `FileError`. */
  override readonly name = "FileError";
  /** Of the file or folder. */
  readonly path: string;

  /** `action` is a verb with its object's kind, such as `write rows to`. */
  constructor(action: string, path: string, { cause }: { readonly cause: unknown }) {
    super(`Cannot ${action} "${path}": ${describeState(cause)}`, { cause });
    this.path = path;
  }
}

function describeState(cause: unknown): string {
  if (typeof cause === "string") return cause;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOSPC") return "the disk is full";
  if (code === "EROFS") return "the file system is read-only";
  if (cause instanceof Deno.errors.NotCapable) return "Deno has no permission for it";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.NotFound) return "it is not there";
  if (cause instanceof Deno.errors.AlreadyExists) return "it exists already";
  if (cause instanceof Deno.errors.NotADirectory) return "a part of the path is a file";
  return cause instanceof Error ? cause.message : String(cause);
}
