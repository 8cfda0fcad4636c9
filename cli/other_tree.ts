/** Another version of the project, in a folder of its own for as long as it is needed. */

import { ValidationError } from "@cliffy/command";
import { join, resolve } from "node:path";
import { exists } from "../records/files/exists.ts";
import { EXIT } from "./exit_status.ts";

/** What ends a program without further words, where nobody listens. */
const ENDING = ["SIGTERM", "SIGHUP"] as const;

/** A folder that holds a version of the project. */
export interface OtherTree extends Disposable {
  readonly path: string;
}

/**
 * A folder as it is, or a commit of `repository` checked out into a temporary worktree, which goes when the
 * tree is disposed, or the program ends. Needs permission to run `git` for a commit.
 * @throws {ValidationError} where the name is neither.
 */
export function openTree(name: string, repository: string): OtherTree {
  if (exists(join(name, "deno.json"))) return { path: resolve(name), [Symbol.dispose]: () => {} };
  const commit = git(repository, ["rev-parse", "--verify", "--quiet", `${name}^{commit}`]);
  if (commit === undefined) {
    throw new ValidationError(
      `Cannot use --baseline "${name}": legal are a folder with deno.json and a commit`,
    );
  }
  const parent = Deno.makeTempDirSync({ prefix: "shardbench-ab-" });
  const path = join(parent, "tree");
  let isThere = true;
  const remove = () => {
    if (!isThere) return;
    isThere = false;
    globalThis.removeEventListener("unload", remove);
    for (const signal of ENDING) Deno.removeSignalListener(signal, end);
    git(repository, ["worktree", "remove", "--force", path]);
    Deno.removeSync(parent, { recursive: true });
    git(repository, ["worktree", "prune"]);
  };
  // A second Ctrl-C ends the program at once, and no block that disposes runs any more.
  globalThis.addEventListener("unload", remove);
  for (const signal of ENDING) Deno.addSignalListener(signal, end);
  if (git(repository, ["worktree", "add", "--detach", path, commit]) === undefined) {
    remove();
    throw new ValidationError(`Cannot use --baseline "${name}": git could not check it out`);
  }
  return { path, [Symbol.dispose]: remove };
}

/** Ends the program as an interrupt does, with what is to be done at its end. */
function end(): void {
  Deno.exit(EXIT.interrupted);
}

/** What git prints; undefined where it fails. No hook of the repository runs. */
function git(repository: string, args: readonly string[]): string | undefined {
  const { success, stdout } = new Deno.Command("git", {
    args: ["-C", repository, "-c", "core.hooksPath=/dev/null", ...args],
    stdin: "null",
    stderr: "null",
  }).outputSync();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}
