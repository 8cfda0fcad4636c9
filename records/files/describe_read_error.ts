import { UnusualFileError } from "./read_text.ts";

/** Says in a few words why a file could not be read. */
export function describeReadError(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "is not there";
  if (error instanceof Deno.errors.NotCapable) return "Deno has no permission for";
  if (error instanceof Deno.errors.PermissionDenied) return "may not be read";
  if (error instanceof Deno.errors.IsADirectory) return "is a folder";
  if (error instanceof Deno.errors.NotADirectory) return "lies under a file";
  if (error instanceof UnusualFileError) return error.message;
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
