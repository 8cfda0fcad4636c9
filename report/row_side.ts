/** A row as one side of a comparison has it: of one run, or of several. */

import { label } from "../records/rows/row.ts";
import { rowTimesUs } from "../records/rows/row_times.ts";
import type { Suite } from "../records/rows/suite.ts";
import type { LoadedRun, TextRow } from "../records/run_folder/load_run.ts";
import { roundInterval } from "../statistics/round_interval.ts";
import { roundMedians } from "../statistics/round_medians.ts";
import { median } from "../statistics/summary.ts";

/** A normal number is as far from its mean as so many standard deviations in 5 %. */
const Z_95 = 1.96;

/** What one run measured of a row, in us. */
export interface RunTimes {
  /** Median of the samples, or the file's where there are none; undefined where neither is a time. */
  readonly medianUs: number | undefined;
  /** Empty where there are none, or one is no time: a fault of the clock, or of who edited them. */
  readonly samples: readonly number[];
  /** Medians of rounds: the units of inference within a run. */
  readonly rounds: readonly number[];
  /** Standard error of the logarithm of the median, by its 95 % interval: of rounds, or the file's. */
  readonly logError: number;
  /** Whether samples say in which round they were taken. */
  readonly knowsRounds: boolean;
}

/** A row of one side. */
export interface RowSide {
  readonly suite: Suite;
  readonly label: string;
  /** Of the first run in which it is not ok, or of the first. */
  readonly row: TextRow;
  /** The distinct warnings of the runs' rows. */
  readonly warning: string;
  /** Of all runs that have the row. */
  readonly runs: readonly RunTimes[];
}

/** The rows of a side by key. */
export function rowSides(runs: readonly LoadedRun[]): ReadonlyMap<string, RowSide> {
  const sides = new Map<string, RowSide>();
  for (const run of runs) {
    for (const [key, side] of rowsOf(run)) {
      const before = sides.get(key);
      sides.set(
        key,
        before === undefined ? side : {
          ...before,
          row: before.row["status"] === "ok" ? side.row : before.row,
          warning: [...new Set([before.warning, side.warning])].filter(Boolean).join(", "),
          runs: [...before.runs, ...side.runs],
        },
      );
    }
  }
  return sides;
}

function rowsOf({ suites, samples }: LoadedRun): ReadonlyMap<string, RowSide> {
  return new Map(suites.flatMap(({ suite, rows }) =>
    rows.map((row): [string, RowSide] => {
      const key = row["row_key"] ?? "";
      const runs = [timesOf(suite, row, samples.get(key)?.series ?? {})];
      return [key, { suite, label: label(suite, row), row, warning: row["warning"] ?? "", runs }];
    })
  ));
}

function timesOf(
  suite: Suite,
  row: TextRow,
  series: Readonly<Record<string, readonly number[]>>,
): RunTimes {
  // Of schedules the whole serving is judged, since steps differ by nature: a repetition is a round.
  const isServing = suite === "schedules";
  const found = isServing
    ? (series["wall_ms"] ?? []).map((ms) => ms * 1000)
    : rowTimesUs(row, series);
  const samples = found.every((sample) => sample > 0) ? found : [];
  const rounds = isServing || series["round"]?.length !== samples.length
    ? undefined
    : series["round"];
  const own = Number(row[isServing ? "wall_ms" : "time_us_median"]) * (isServing ? 1000 : 1);
  const { low, high } = samples.length > 0
    ? roundInterval(samples, rounds ?? [...samples.keys()])
    : { low: Number(row["time_us_ci_low"]), high: Number(row["time_us_ci_high"]) };
  const logError = Math.log(high / low) / (2 * Z_95);
  // A file's time alone says nothing without its interval; samples that are no times say nothing at all.
  const fileUs = found.length === 0 && own > 0 && logError >= 0 ? own : undefined;
  return {
    samples,
    medianUs: samples.length > 0 ? median(samples) : fileUs,
    rounds: roundMedians(samples, rounds),
    logError,
    knowsRounds: isServing || rounds !== undefined,
  };
}

/** A side's time in us: the geometric mean of its runs' medians; undefined where one has none. */
export function sideUs(runs: readonly RunTimes[]): number | undefined {
  const logs = runs.map(({ medianUs }) => medianUs === undefined ? NaN : Math.log(medianUs));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  if (logs.length === 1) return runs[0]!.medianUs;
  return Number.isNaN(mean) ? undefined : Math.exp(mean);
}

/** Samples of a side, or as many as the file says. */
export function sampleCount({ row, runs }: Pick<RowSide, "row" | "runs">): number {
  const samples = runs.reduce((sum, { samples }) => sum + samples.length, 0);
  return samples > 0 ? samples : Number(row["samples"] ?? 0);
}

/** The sides that a filter leaves. */
export function filteredSides<Key>(
  sides: ReadonlyMap<Key, RowSide>,
  filter: RegExp | undefined,
): ReadonlyMap<Key, RowSide> {
  return new Map([...sides].filter(([, { label }]) => filter?.test(label) ?? true));
}
