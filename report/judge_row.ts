/** What is said of one row of two runs, and by what evidence. */

import { ratioInterval } from "../statistics/bootstrap.ts";
import { leastReachableP, mannWhitney } from "../statistics/mann_whitney.ts";
import { median, timeChangeText } from "../statistics/summary.ts";
import type { TextRow } from "../records/run_folder/load_run.ts";
import type { Suite } from "../records/rows/suite.ts";

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
  /** What makes an ok row of either run less good: their columns `warning`, blank where both are. */
  readonly warning: string;
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

/** A row of one run, with its samples in us. */
export interface RowSide {
  readonly suite: Suite;
  readonly label: string;
  readonly row: TextRow;
  readonly samples: readonly number[];
}

/** A row of both runs, and how its times differ. */
export interface Pair {
  readonly a: RowSide;
  readonly b: RowSide;
  readonly times: readonly [number, number] | null;
  readonly ratio: number | null;
  readonly interval: readonly [number, number] | null;
  readonly p: number | null;
}

/** Measures how a row changed; nulls where it has no usable time on both sides. */
export function measurePair(a: RowSide, b: RowSide): Pair {
  const isUsable = a.row["status"] === "ok" && b.row["status"] === "ok";
  // No time is zero or less: such samples are a fault of the clock, or of who edited them.
  const isTime = [...a.samples, ...b.samples].every((sample) => sample > 0);
  if (!isUsable || !isTime) return { a, b, times: null, ratio: null, interval: null, p: null };
  if (a.samples.length > 0 && b.samples.length > 0) {
    const times = [median(a.samples), median(b.samples)] as const;
    const side = ({ samples, row }: RowSide) => ({
      samples,
      seed: `${row["run_id"] ?? ""} ${row["row_key"]}`,
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

/** Says what the evidence is worth; `p` is adjusted for the number of rows. */
export function judge(
  { a, b, times, ratio, interval }: Pair,
  { p, machine, thresholdPct, scatterPct }: {
    readonly p: number | null;
    readonly machine: number | null;
    readonly thresholdPct: number;
    readonly scatterPct: number | null;
  },
): ComparedRow {
  const about = {
    suite: a.suite,
    row_key: a.row["row_key"] ?? "",
    label: a.label,
    warning: [["baseline", a] as const, ["candidate", b] as const].flatMap(([side, { row }]) =>
      row["warning"] ? [`${side}: ${row["warning"]}`] : []
    ).join("; "),
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
    const moved = timeChangeText(100 * (machine! - 1), 1);
    return said("ambiguous", `${percent}, but the machine itself took ${moved}`);
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

/** How far rows scatter from run to run: `scatter_pct` of a comparison, which says how it is computed. */
export function scatterOf(pairs: readonly Pair[]): number | null {
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
