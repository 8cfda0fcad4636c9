/** Whole runs in processes of their own: what one run leaves behind in a process is in no other. */

import { join, resolve } from "node:path";
import { writeSet } from "../records/run_folder/load_runs.ts";
import { EXIT } from "./exit_status.ts";

/** A run in a process of its own. */
export interface StartedRun {
  /** The folder of the project that runs: this one, or another version of it. */
  readonly tree: string;
  /** What `run` is given; paths are absolute. */
  readonly args: readonly string[];
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

/** This project's folder. */
export const THIS_TREE = new URL("../", import.meta.url).pathname;

/**
 * Runs a tree's own task `run` and returns its exit status; its results are on the disk alone, its progress on
 * stderr. Needs permission to run `deno`.
 */
export async function startRun({ tree, args, signal }: StartedRun): Promise<number> {
  const child = new Deno.Command("deno", {
    args: ["task", "--quiet", "--config", join(tree, "deno.json"), "run", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const end = () => child.kill("SIGINT");
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  try {
    const { code } = await child.status;
    return signal.aborted ? EXIT.interrupted : code;
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** Runs one after another. */
export interface RepeatedRuns extends Pick<StartedRun, "args" | "signal"> {
  /** The set's folder, which is there and empty. */
  readonly folder: string;
  readonly repeat: number;
  /** Starts one of them; in a process of its own where absent. */
  readonly start?: (run: StartedRun) => Promise<number>;
}

/** What came of them. */
export interface RunSet {
  /** Of the runs that were finished. */
  readonly folders: readonly string[];
  /** The first one's that is not 0, or 0; a run with wrong rows is finished all the same. */
  readonly status: number;
}

/** Makes a set: `run_1`, `run_2` and so on, each whole and in a process of its own. */
export async function repeatRuns(
  { folder, repeat, args, signal, start = startRun }: RepeatedRuns,
): Promise<RunSet> {
  const names: string[] = [];
  const statuses: number[] = [];
  for (let place = 1; place <= repeat && !signal.aborted; place++) {
    console.error(`run ${place} of ${repeat}`);
    const out = resolve(folder, `run_${place}`);
    const status = await start({ tree: THIS_TREE, args: [...args, "--out", out], signal });
    statuses.push(status);
    if (status !== EXIT.ok && status !== EXIT.wrongResult) break;
    names.push(`run_${place}`);
    writeSet(folder, names);
  }
  return {
    folders: names.map((name) => join(folder, name)),
    status: statuses.find((status) => status !== EXIT.ok) ??
      (signal.aborted ? EXIT.interrupted : EXIT.ok),
  };
}
