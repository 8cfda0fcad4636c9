/** What changed between two versions that ran in turns, pair by pair. */

import type { LoadedRun } from "../records/run_folder/load_run.ts";
import type { CompareOptions } from "./compare_runs.ts";
import { type Comparison, conclude } from "./comparison.ts";
import { pairedEvidence } from "./evidence.ts";
import { filteredSides, rowSides } from "./row_side.ts";
import { refuseDifferent } from "./run_differences.ts";

/** Runs of two versions, one right after the other. */
export type RunPair = readonly [baseline: LoadedRun, candidate: LoadedRun];

/**
 * Compares versions by the logarithm of each pair's ratio: Student's t of their mean, and the exact test of
 * their signs, which needs eight pairs. What moves the machine between pairs moves both runs of one.
 * @throws {ComparisonError} where a run is of another kind or machine and that is not allowed.
 * @throws {RangeError} where the threshold is no share, there is no pair, or the filter leaves no row.
 */
export function comparePairs(
  pairs: readonly RunPair[],
  thresholdPct: number,
  { allow = [], filter }: Pick<CompareOptions, "allow" | "filter"> = {},
): Comparison {
  if (pairs.length === 0) throw new RangeError("Cannot compare: there is no pair of runs");
  const runs = [pairs.map(([a]) => a), pairs.map(([, b]) => b)] as const;
  refuseDifferent(runs.flat(), allow);
  const own = filteredSides(rowSides(runs[0]), filter);
  const other = filteredSides(rowSides(runs[1]), filter);
  if (filter && own.size + other.size === 0) {
    throw new RangeError(`Cannot compare rows that match ${filter}: there are none`);
  }
  return conclude({
    runs,
    thresholdPct,
    inTurns: true,
    pairs: [...own].flatMap(([key, a]) => {
      const b = other.get(key);
      // Where a run lacks the row, its others are of no pair.
      const isWhole = [a, b].every((side) => side?.runs.length === pairs.length);
      return b ? [{ a, b, evidence: isWhole ? pairedEvidence(a, b) : undefined }] : [];
    }),
    missing: [...own].flatMap(([key, side]) => other.has(key) ? [] : [side]),
    added: [...other].flatMap(([key, side]) => own.has(key) ? [] : [side]),
  });
}
