/** How a row's time changed, and how far chance could have changed it. */

import { leastReachableP, mannWhitney } from "../statistics/mann_whitney.ts";
import { leastFlipP, signFlipP } from "../statistics/sign_flips.ts";
import { studentBound, studentP } from "../statistics/student_t.ts";
import { type RowSide, type RunTimes, sideUs } from "./row_side.ts";

/** Where the between-run scatter of a row was taken from. */
export type ScatterSource =
  | "machine's floor"
  | "default floor"
  | "these runs"
  | "pairs"
  | "one run";

/** How far a row's time moves from run to run. */
export interface RunScatter {
  /** Variance of the logarithm of one run's time. */
  readonly variance: number;
  readonly degrees: number;
  readonly source: ScatterSource;
}

/** What is known of a row's change. */
export interface Evidence {
  /** Times of the two sides, in us. */
  readonly times: readonly [number, number];
  /** Time of the candidate / of the baseline. */
  readonly ratio: number;
  /** The ratio's 95 % interval, between-run scatter included. */
  readonly interval: readonly [number, number];
  /** The chance of such a ratio in an unchanged row, from run to run (Student's t), two-sided. */
  readonly p: number;
  /** The chance that the row's own units differ so: ranks of rounds, signs of pairs; null: not tested. */
  readonly exactP: number | null;
  /** The least that it could have been with so many units. */
  readonly leastExactP: number;
  /** Standard deviation of the logarithm of two runs' ratio, in %. */
  readonly scatterPct: number;
  readonly source: ScatterSource;
}

/** Fewer runs a side do not show how far runs move. */
export const RUNS_FOR_SCATTER = 3;

/** The evidence of runs of two sides; undefined where either has no time. */
export function unpairedEvidence(
  a: RowSide,
  b: RowSide,
  scatter: RunScatter,
): Evidence | undefined {
  const times = timesOf(a, b);
  if (times === undefined) return undefined;
  const betweenRuns = scatter.variance * (1 / a.runs.length + 1 / b.runs.length);
  const units = [unitsOf(a), unitsOf(b)] as const;
  const isRanked = scatter.source !== "these runs" && units.every((list) => list.length > 0);
  // What is within runs is part of what is between them, but a row may be noisier than its class.
  const within = scatter.source === "these runs" ? 0 : errorSquare(a.runs) + errorSquare(b.runs);
  const withinDegrees = isRanked ? Math.max(1, units[0].length + units[1].length - 2) : Infinity;
  const [variance, degrees] = within > betweenRuns
    ? [within, withinDegrees]
    : [betweenRuns, scatter.degrees];
  return {
    ...changed(times, Math.sqrt(variance), degrees),
    exactP: isRanked ? mannWhitney(...units).p : null,
    leastExactP: isRanked ? leastReachableP(units[0].length, units[1].length) : 0,
    scatterPct: 100 * Math.sqrt(2 * scatter.variance),
    source: scatter.source,
  };
}

/** The evidence of runs in pairs, one of each side after the other; undefined where one has no time. */
export function pairedEvidence(a: RowSide, b: RowSide): Evidence | undefined {
  const times = timesOf(a, b);
  const n = a.runs.length;
  if (times === undefined || n !== b.runs.length) return undefined;
  const logs = a.runs.map(({ medianUs }, i) => Math.log(b.runs[i]!.medianUs! / medianUs!));
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  // One pair does not show how far pairs scatter.
  const variance = n < 2
    ? Infinity
    : logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (n - 1);
  return {
    ...changed(times, Math.sqrt(variance / n), Math.max(1, n - 1)),
    exactP: signFlipP(logs),
    leastExactP: leastFlipP(n),
    scatterPct: 100 * Math.sqrt(variance),
    source: "pairs",
  };
}

/** Times of rows that are ok on both sides. */
function timesOf(a: RowSide, b: RowSide): readonly [number, number] | undefined {
  if (a.row["status"] !== "ok" || b.row["status"] !== "ok") return undefined;
  const [own, other] = [sideUs(a.runs), sideUs(b.runs)];
  return own === undefined || other === undefined ? undefined : [own, other];
}

function changed(times: readonly [number, number], error: number, degrees: number) {
  const ratio = times[1] / times[0];
  const shift = Math.log(ratio);
  const reach = error === 0 ? 0 : studentBound(0.05, degrees) * error;
  const p = error === 0 ? (shift === 0 ? 1 : 0) : studentP(shift / error, degrees);
  const interval = [Math.exp(shift - reach), Math.exp(shift + reach)] as const;
  return { times, ratio, interval, p };
}

/** Square of the error of the mean of the logarithms of runs' medians, by what is within the runs. */
function errorSquare(runs: readonly RunTimes[]): number {
  return runs.reduce((sum, { logError }) => sum + logError ** 2, 0) / runs.length ** 2;
}

function unitsOf({ runs }: RowSide): readonly number[] {
  return runs.flatMap(({ rounds }) => rounds);
}
