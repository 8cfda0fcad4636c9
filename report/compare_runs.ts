/** What changed from one run to another, row by row. */

import { label } from "../records/rows/row.ts";
import { rowTimesUs } from "../records/rows/row_times.ts";
import type { LoadedRun } from "../records/run_folder/load_run.ts";
import { adjustP } from "../statistics/mann_whitney.ts";
import { type ComparedRow, judge, measurePair, type RowSide, scatterOf } from "./judge_row.ts";

/** What two runs have to do with each other. */
export interface Comparison {
  /** Path of the baseline. */
  readonly baseline: string;
  /** Path of the candidate. */
  readonly candidate: string;
  /** The least change that counts, in %. */
  readonly threshold_pct: number;
  /** Rows that both runs have. */
  readonly rows: readonly ComparedRow[];
  /** Labels of the baseline's rows that the candidate has not. */
  readonly missing: readonly string[];
  /** Labels of rows that only the candidate has. */
  readonly added: readonly string[];
  /** Geometric mean of the ratios of matched rows; null where there are none. */
  readonly geometric_mean: number | null;
  /** The candidate's canary time / the baseline's: the machine's own speed; null where unknown. */
  readonly machine_ratio: number | null;
  /**
   * How far rows scatter from run to run, in %: three robust standard deviations (1.4826 times the median
   * absolute deviation) of the logarithm of their ratios; null for fewer than 8 rows. Changes within it
   * are no evidence.
   */
  readonly scatter_pct: number | null;
  /** Whether verdicts rest on the files' intervals, since raw samples are not there. */
  readonly without_samples: boolean;
  /** Why a gate must not pass though no row is a regression; empty where it may. */
  readonly incomplete: readonly string[];
}

/** Compares a candidate with a baseline; `thresholdPct` is the least change that counts. */
export function compareRuns(
  baseline: LoadedRun,
  candidate: LoadedRun,
  thresholdPct: number,
): Comparison {
  if (!(thresholdPct >= 0 && thresholdPct < Infinity)) {
    throw new RangeError(`Cannot compare within ${thresholdPct} %; legal: 0 or more`);
  }
  const own = rowsOf(baseline);
  const other = rowsOf(candidate);
  const matched = [...own.keys()].filter((key) => other.has(key));
  const machine = machineRatio(baseline, candidate);
  const pairs = matched.map((key) => measurePair(own.get(key)!, other.get(key)!));
  const tested = pairs.filter(({ p }) => p !== null);
  const adjusted = adjustP(tested.map(({ p }) => p!));
  const byPair = new Map(tested.map((pair, i) => [pair, adjusted[i]!]));
  const scatterPct = scatterOf(pairs);
  const rows = pairs.map((pair) =>
    judge(pair, { p: byPair.get(pair) ?? null, machine, thresholdPct, scatterPct })
  );
  const logs = rows.flatMap(({ ratio }) => ratio === null ? [] : [Math.log(ratio)]);
  const missing = [...own].filter(([key]) => !other.has(key)).map(([, side]) => side.label);
  const lost = pairs.filter(({ a, ratio }, i) =>
    ratio === null && a.row["status"] === "ok" && !rows[i]!.is_regression
  );
  const few = rows.filter(({ verdict }) => verdict === "too few");
  return {
    baseline: baseline.path,
    candidate: candidate.path,
    threshold_pct: thresholdPct,
    rows,
    missing,
    added: [...other].filter(([key]) => !own.has(key)).map(([, side]) => side.label),
    geometric_mean: logs.length === 0
      ? null
      : Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length),
    machine_ratio: machine,
    scatter_pct: scatterPct,
    without_samples: pairs.some(({ p, ratio }) => p === null && ratio !== null),
    incomplete: [
      ...repeatedKeys(baseline),
      ...repeatedKeys(candidate),
      ...(missing.length > 0 ? [`${missing.length} rows of the baseline are missing`] : []),
      ...(lost.length > 0 ? [`${lost.length} rows that were ok have no time any more`] : []),
      ...(few.length > 0
        ? [`${few.length} rows changed, but have too few samples to say so for certain`]
        : []),
    ],
  };
}

/** A key names one row; where it names several, none of them can be judged. */
function repeatedKeys({ path, suites }: LoadedRun): readonly string[] {
  const keys = suites.flatMap(({ rows }) => rows.map((row) => row["row_key"] ?? ""));
  const twice = keys.length - new Set(keys).size;
  return twice > 0 ? [`${twice} rows of ${path} repeat another row's key`] : [];
}

function rowsOf({ suites, samples }: LoadedRun): ReadonlyMap<string, RowSide> {
  const rows = suites.flatMap(({ suite, rows }) =>
    rows.map((row): [string, RowSide] => {
      const key = row["row_key"] ?? "";
      const series = samples.get(key)?.series ?? {};
      // Of schedules the whole serving is judged, since steps differ by nature.
      const samplesUs = suite === "schedules"
        ? (series["wall_ms"] ?? []).map((ms) => ms * 1000)
        : rowTimesUs(row, series);
      return [key, { suite, label: label(suite, row), row, samples: samplesUs }];
    })
  );
  return new Map(rows);
}

function machineRatio(a: LoadedRun, b: LoadedRun): number | null {
  const [own, other] = [a, b].map(({ manifest }) => Number(manifest?.["canary_us"]));
  return own! > 0 && other! > 0 ? other! / own! : null;
}
