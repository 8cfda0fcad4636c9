/** Which commit is checked out, read from git's files, and whether files differ from it, where git may be asked. */

import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readText } from "../files/read_text.ts";

/** The commit of a checkout. */
export interface Commit {
  readonly id: string;
  /** The branch, or null where a commit is checked out directly. */
  readonly branch: string | null;
  /** Whether files differ from the commit; null, unknown, where git may not be started: `sources_hash` tells. */
  readonly dirty: boolean | null;
}

/** What `git status --porcelain` prints of a folder; undefined where it cannot be had. */
type GitStatus = (folder: string) => string | undefined;

/**
 * Reads the commit of the checkout in a folder; null where there is none or it may not be read.
 *
 * Uses read permission for `.git` (and, in a linked worktree, for the folder it points to) and permission to
 * run `git`, without asking.
 */
export function readCommit(root: URL, status: GitStatus = gitStatus): Commit | null {
  if (root.protocol !== "file:") return null;
  const folder = fileURLToPath(root);
  const pointer = readIfAllowed(join(folder, ".git"))?.match(/^gitdir: (.+)$/m)?.[1];
  const git = pointer === undefined ? join(folder, ".git") : resolve(folder, pointer);
  const head = readIfAllowed(join(git, "HEAD"))?.trim();
  if (head === undefined) return null;

  const ref = head.match(/^ref: (.+)$/)?.[1];
  const commitOf = (id: string, branch: string | null): Commit | null => {
    if (!/^[0-9a-f]{40,64}$/.test(id)) return null;
    const changes = status(folder);
    return { id, branch, dirty: changes === undefined ? null : changes !== "" };
  };
  if (ref === undefined) return commitOf(head, null);
  const shared = readIfAllowed(join(git, "commondir"))?.trim();
  const common = shared === undefined ? git : resolve(git, shared);
  const id = readIfAllowed(join(common, ref))?.trim() ?? packedRef(common, ref);
  return id === undefined ? null : commitOf(id, ref.replace(/^refs\/heads\//, ""));
}

/** Nothing that the repository configures runs, and nothing is written into it. */
function gitStatus(folder: string): string | undefined {
  const permission = { name: "run", command: "git" } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return undefined;
  const quiet = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
  try {
    const { success, stdout } = new Deno.Command("git", {
      args: ["--no-optional-locks", "-C", folder, ...quiet, "status", "--porcelain"],
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function packedRef(git: string, ref: string): string | undefined {
  const lines = readIfAllowed(join(git, "packed-refs"))?.split("\n") ?? [];
  return lines.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}

function readIfAllowed(path: string): string | undefined {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
  try {
    return readText(path);
  } catch {
    return undefined;
  }
}
