/** Runs of two trees in turns, each in a process of its own. */

import { resolve } from "node:path";
import { EXIT } from "./exit_status.ts";
import { type StartedRun, startRun, THIS_TREE } from "./repeat_runs.ts";

/** Pairs of runs: of another tree and of this one. */
export interface PairedRuns extends Pick<StartedRun, "args" | "signal"> {
  /** The folder of all runs. */
  readonly folder: string;
  readonly pairs: number;
  /** The other tree's folder. */
  readonly baseline: string;
  /** Starts one of them; in a process of its own where absent. */
  readonly start?: (run: StartedRun) => Promise<number>;
}

/** What came of them. */
export interface RanPairs {
  /** Of the pairs that were finished: the baseline's folder and the candidate's. */
  readonly folders: readonly (readonly [string, string])[];
  /** The status of the run that ended them early, or 0. */
  readonly status: number;
}

/** Runs both trees A B B A, so that what drifts meets both alike; a run that cannot be used ends it. */
export async function runPairs(
  { folder, pairs, baseline, args, signal, start = startRun }: PairedRuns,
): Promise<RanPairs> {
  const sides = [["baseline", baseline], ["candidate", THIS_TREE]] as const;
  const folders: (readonly [string, string])[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    const outOf = (side: string) => resolve(folder, `pair_${pair}`, side);
    for (const [side, tree] of pair % 2 === 1 ? sides : sides.toReversed()) {
      console.error(`pair ${pair} of ${pairs}: ${side}`);
      const status = await start({ tree, args: [...args, "--out", outOf(side)], signal });
      if (status === EXIT.ok || status === EXIT.wrongResult) continue;
      if (status !== EXIT.interrupted) {
        console.error(`error: Cannot compare: the ${side}'s run ended with status ${status}`);
      }
      return { folders, status };
    }
    folders.push([outOf("baseline"), outOf("candidate")]);
  }
  return { folders, status: EXIT.ok };
}
