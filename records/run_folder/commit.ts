/** Which commit is checked out, read from git's files: no process is started. */

import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The commit of a checkout. */
export interface Commit {
  readonly id: string;
  /** The branch, or null where a commit is checked out directly. */
  readonly branch: string | null;
  /** Whether files differ from the commit; always null: to tell takes git, which no task may start. */
  readonly dirty: boolean | null;
}

/**
 * Reads the commit of the checkout in a folder; null where there is none or it may not be read.
 *
 * Uses read permission for `.git` (and, in a linked worktree, for the folder it points to), without asking.
 */
export function readCommit(root: URL): Commit | null {
  if (root.protocol !== "file:") return null;
  const folder = fileURLToPath(root);
  const pointer = readText(join(folder, ".git"))?.match(/^gitdir: (.+)$/m)?.[1];
  const git = pointer === undefined ? join(folder, ".git") : resolve(folder, pointer);
  const head = readText(join(git, "HEAD"))?.trim();
  if (head === undefined) return null;

  const ref = head.match(/^ref: (.+)$/)?.[1];
  if (ref === undefined) return commitOf(head, null);
  const shared = readText(join(git, "commondir"))?.trim();
  const common = shared === undefined ? git : resolve(git, shared);
  const id = readText(join(common, ref))?.trim() ?? packedRef(common, ref);
  return id === undefined ? null : commitOf(id, ref.replace(/^refs\/heads\//, ""));
}

function commitOf(id: string, branch: string | null): Commit | null {
  return /^[0-9a-f]{40,64}$/.test(id) ? { id, branch, dirty: null } : null;
}

function packedRef(git: string, ref: string): string | undefined {
  const lines = readText(join(git, "packed-refs"))?.split("\n") ?? [];
  return lines.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}

function readText(path: string): string | undefined {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
