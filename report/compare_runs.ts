/** What changed from one run to another, row by row. */

import type { Suite } from "../records/rows/suite.ts";
import { label } from "../records/rows/row.ts";
import { rowTimesUs } from "../records/rows/row_times.ts";
import { median } from "../statistics/summary.ts";
import { ratioInterval } from "../statistics/bootstrap.ts";
import type { LoadedRun, TextRow } from "../records/run_folder/load_run.ts";
import { adjustP, mannWhitney } from "../statistics/mann_whitney.ts";

/** What is said of a row. */
export type Verdict = "same" | "faster" | "slower" | "ambiguous" | "too few" | "no data";

/** A row of both runs. */
export interface ComparedRow {
  /** Whose row it is. */
  readonly suite: Suite;
  /** The same in both runs. */
  readonly row_key: string;
  /** What it is, in words. */
  readonly label: string;
  /** What is said of it. */
  readonly verdict: Verdict;
  /** Why, in words. */
  readonly reason: string;
  /** Whether it counts as a regression: slower, or no longer right. */
  readonly is_regression: boolean;
  /** Median time of the candidate / of the baseline; null where either has none. */
  readonly ratio: number | null;
  /** Lower end of the ratio's 95 % interval. */
  readonly ratio_low: number | null;
  /** Upper end of it. */
  readonly ratio_high: number | null;
  /** The same divided by how the machine's own speed changed; null where that is not known. */
  readonly ratio_of_machine: number | null;
  /** Chance of such a difference in an unchanged row, adjusted for the number of rows; null without samples. */
  readonly p: number | null;
  /** Median time of the baseline, in us. */
  readonly baseline_us: number | null;
  /** Median time of the candidate, in us. */
  readonly candidate_us: number | null;
  /** Samples of the baseline and of the candidate. */
  readonly samples: readonly [number, number];
}

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

/** What may differ between runs that are compared all the same. */
export type Difference = "adapter" | "dtype" | "schema" | "cpu" | "cores" | "deno";

/** The share of false calls among the rows that are called different (Benjamini and Hochberg). */
const FALSE_DISCOVERIES = 0.01;
/** Fewer rows than these do not show how far rows scatter. */
const SCATTER_ROWS = 8;
/** Fewer samples a side than these are never told apart. */
const APART_SAMPLES = 3;
/** Runs of unchanged code do not move so far: samples that are further apart count, whatever else scatters. */
const APART_PCT = 20;
/** Samples are joined into at most so many medians of neighbours: they are not independent. */
const BLOCKS = 40;

/** Why two runs cannot be compared; empty where they can. */
export function identityDifferences(
  a: LoadedRun,
  b: LoadedRun,
): ReadonlyMap<Difference, string> {
  const found = new Map<Difference, string>();
  const values = ({ suites }: LoadedRun, column: string) =>
    [...new Set(suites.flatMap(({ rows }) => rows.map((row) => row[column] ?? "")))]
      .filter((value) => value !== "").sort().join(", ");
  for (
    const [difference, column] of [
      ["adapter", "adapter"],
      ["dtype", "dtype"],
      ["schema", "schema_version"],
    ] as const
  ) {
    const [own, other] = [values(a, column), values(b, column)];
    if (own !== other) found.set(difference, `${column} "${own}" against "${other}"`);
  }
  const [own, other] = [a, b].map(({ manifest }) => Object(manifest?.["environment"]));
  for (
    const [difference, field] of [
      ["cpu", "cpu_model"],
      ["cores", "logical_cores"],
      ["deno", "deno_version"],
    ] as const
  ) {
    const isKnown = own[field] !== undefined && other[field] !== undefined;
    if (isKnown && own[field] !== other[field]) {
      found.set(difference, `${field} "${own[field]}" against "${other[field]}"`);
    }
  }
  return found;
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

interface RowSide {
  readonly suite: Suite;
  readonly label: string;
  readonly row: TextRow;
  readonly runId: string;
  readonly samples: readonly number[];
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
      const runId = row["run_id"] ?? "";
      return [key, { suite, label: label(suite, row), row, runId, samples: samplesUs }];
    })
  );
  return new Map(rows);
}

interface Pair {
  readonly a: RowSide;
  readonly b: RowSide;
  readonly times: readonly [number, number] | null;
  readonly ratio: number | null;
  readonly interval: readonly [number, number] | null;
  readonly p: number | null;
}

function measurePair(a: RowSide, b: RowSide): Pair {
  const isUsable = a.row["status"] === "ok" && b.row["status"] === "ok";
  // No time is zero or less: such samples are a fault of the clock, or of who edited them.
  const isTime = [...a.samples, ...b.samples].every((sample) => sample > 0);
  if (!isUsable || !isTime) return { a, b, times: null, ratio: null, interval: null, p: null };
  if (a.samples.length > 0 && b.samples.length > 0) {
    const times = [median(a.samples), median(b.samples)] as const;
    const side = ({ samples, runId, row }: RowSide) => ({
      samples,
      seed: `${runId} ${row["row_key"]}`,
    });
    const { p } = mannWhitney(blocks(a.samples), blocks(b.samples));
    return {
      a,
      b,
      times,
      ratio: times[1] / times[0],
      interval: ratioInterval(side(a), side(b)),
      p,
    };
  }
  const column = (side: RowSide, name: string) => Number(side.row[name]);
  const times = [column(a, "time_us_median"), column(b, "time_us_median")] as const;
  if (!(times[0] > 0 && times[1] > 0)) {
    return { a, b, times: null, ratio: null, interval: null, p: null };
  }
  const low = column(b, "time_us_ci_low") / column(a, "time_us_ci_high");
  const high = column(b, "time_us_ci_high") / column(a, "time_us_ci_low");
  return { a, b, times, ratio: times[1] / times[0], interval: [low, high], p: null };
}

function judge(
  { a, b, times, ratio, interval, p: _, ...rest }: Pair,
  { p, machine, thresholdPct, scatterPct }: {
    readonly p: number | null;
    readonly machine: number | null;
    readonly thresholdPct: number;
    readonly scatterPct: number | null;
  },
): ComparedRow {
  const about = {
    ...rest,
    suite: a.suite,
    row_key: a.row["row_key"] ?? "",
    label: a.label,
    ratio,
    ratio_low: interval?.[0] ?? null,
    ratio_high: interval?.[1] ?? null,
    ratio_of_machine: ratio !== null && machine !== null ? ratio / machine : null,
    p,
    baseline_us: times?.[0] ?? null,
    candidate_us: times?.[1] ?? null,
    samples: [a.samples.length, b.samples.length] as const,
  };
  const said = (verdict: Verdict, reason: string, is_regression = verdict === "slower") => ({
    ...about,
    verdict,
    reason,
    is_regression,
  });
  const [before, after] = [a.row["status"] ?? "", b.row["status"] ?? ""];
  if (before !== "ok" || after !== "ok") {
    const why = after !== "ok" ? `the candidate is ${after}` : `the baseline is ${before}`;
    const detail = (after !== "ok" ? b : a).row["reason"];
    const wentWrong = before === "ok" && (after === "wrong" || after === "failed");
    return said("no data", detail ? `${why}: ${detail}` : why, wentWrong);
  }
  if (ratio === null || interval === null) return said("no data", "a run has no time for it");
  const threshold = 1 + thresholdPct / 100;
  const percent = `${(100 * (ratio - 1)).toFixed(1)} %`;
  const isLarge = ratio > threshold || ratio < 1 / threshold;
  if (!isLarge) return said("same", `${percent}, within ${thresholdPct} %`);
  if (isApart(a.samples, b.samples, machine ?? 1)) {
    return said(
      ratio > 1 ? "slower" : "faster",
      `${percent}, and no sample of one is near the other's`,
    );
  }
  const leastP = leastReachableP(a.samples.length, b.samples.length);
  if (p !== null && leastP > FALSE_DISCOVERIES) {
    return said(
      "too few",
      `${percent}, but so few samples never reach p ${FALSE_DISCOVERIES}; 5 a side do`,
    );
  }
  const isCertain = interval[0] > 1 || interval[1] < 1;
  if (!isCertain) return said("ambiguous", `${percent}, but the interval includes no change`);
  if (p !== null && p > FALSE_DISCOVERIES) {
    return said("ambiguous", `${percent}, but p is ${p.toPrecision(2)}`);
  }
  if (scatterPct !== null && 100 * (Math.max(ratio, 1 / ratio) - 1) < scatterPct) {
    return said(
      "ambiguous",
      `${percent}, but rows of these runs scatter by ${scatterPct.toFixed(1)} %`,
    );
  }
  const own = machine === null ? ratio : ratio / machine;
  if (ratio > 1 ? own < threshold : own > 1 / threshold) {
    const moved = `${(100 * Math.abs(machine! - 1)).toFixed(1)} % ${
      machine! > 1 ? "more" : "less"
    }`;
    return said("ambiguous", `${percent}, but the machine itself took ${moved} time`);
  }
  return said(ratio > 1 ? "slower" : "faster", percent);
}

/**
 * Whether all samples of one side are above all of the other by more than {@linkcode APART_PCT}, as they
 * are and at the machine's speed of then: however few they are, chance does not deal them out like that.
 */
function isApart(a: readonly number[], b: readonly number[], machine: number): boolean {
  if (Math.min(a.length, b.length) < APART_SAMPLES) return false;
  const far = 1 + APART_PCT / 100;
  const least = Math.min(...b) * Math.min(1, 1 / machine);
  const most = Math.max(...b) * Math.max(1, 1 / machine);
  return least > far * Math.max(...a) || far * most < Math.min(...a);
}

/** The least two-sided p of n against m samples: that of one arrangement of all. */
function leastReachableP(n: number, m: number): number {
  let arrangements = 1;
  for (let i = 1; i <= n; i++) arrangements *= (m + i) / i;
  return Math.min(1, 2 / arrangements);
}

/** See {@linkcode Comparison.scatter_pct}. */
function scatterOf(pairs: readonly Pair[]): number | null {
  const logs = pairs.flatMap(({ ratio }) => ratio === null ? [] : [Math.log(ratio)]);
  if (logs.length < SCATTER_ROWS) return null;
  const center = median(logs);
  return 100 * (Math.exp(3 * 1.4826 * median(logs.map((log) => Math.abs(log - center)))) - 1);
}

/** Medians of neighbouring samples. */
function blocks(samples: readonly number[]): readonly number[] {
  const count = Math.min(BLOCKS, samples.length);
  return Array.from({ length: count }, (_, i) =>
    median(samples.slice(
      Math.floor(i * samples.length / count),
      Math.floor((i + 1) * samples.length / count),
    )));
}

function machineRatio(a: LoadedRun, b: LoadedRun): number | null {
  const [own, other] = [a, b].map(({ manifest }) => Number(manifest?.["canary_us"]));
  return own! > 0 && other! > 0 ? other! / own! : null;
}
