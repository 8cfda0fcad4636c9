/** What is said of one row of two sides, and why. */

import type { Suite } from "../records/rows/suite.ts";
import { leastReachableP } from "../statistics/mann_whitney.ts";
import { leastFlipP } from "../statistics/sign_flips.ts";
import { timeChangeText } from "../statistics/summary.ts";
import type { Evidence, ScatterSource } from "./evidence.ts";
import { type RowSide, sampleCount } from "./row_side.ts";

/** What is said of a row. */
export type Verdict = "same" | "faster" | "slower" | "ambiguous" | "too few" | "no data";

/** A row of both sides. */
export interface ComparedRow {
  /** Whose row it is. */
  readonly suite: Suite;
  /** The same on both sides; of the candidate where rows of one run are compared. */
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
  /** Time of the candidate / of the baseline; null where either has none. */
  readonly ratio: number | null;
  /** Lower end of the ratio's 95 % interval, scatter between runs included. */
  readonly ratio_low: number | null;
  /** Upper end of it. */
  readonly ratio_high: number | null;
  /** The ratio divided by how the machine's own speed changed; null where that is not known. */
  readonly ratio_of_machine: number | null;
  /** Chance of such a ratio in an unchanged row, from run to run, adjusted for the suite's number of rows. */
  readonly p: number | null;
  /** Chance that the row's own rounds, or pairs, differ so; null where they are not tested. */
  readonly p_rounds: number | null;
  /** How far two runs of an unchanged row are apart: a standard deviation, in %. */
  readonly scatter_pct: number | null;
  /** Where that is from. */
  readonly scatter_from: ScatterSource | null;
  /** Median time of the baseline, in us; of several runs the geometric mean of their medians. */
  readonly baseline_us: number | null;
  /** The same of the candidate. */
  readonly candidate_us: number | null;
  /** Samples of the baseline and of the candidate. */
  readonly samples: readonly [number, number];
  /** Rounds in which they were taken. */
  readonly rounds: readonly [number, number];
  /** Runs a side. */
  readonly runs: readonly [number, number];
}

/** A row whose own rounds, or pairs, differ by a chance above this one is not called changed. */
const EXACT_P = 0.01;
/** The share of false calls among a suite's rows that are called changed (Benjamini and Hochberg). */
const FALSE_DISCOVERIES = 0.035;
/** And no row by itself is called above this chance. */
const ROW_P = 0.005;
/** Fewer samples a side than these are never told apart. */
const APART_SAMPLES = 3;
/** Runs of unchanged code do not move so far: samples that are further apart count, whatever else scatters. */
const APART_PCT = 20;

/** What a row is judged by beside its evidence. */
export interface JudgedBy {
  /** The row's chance, and the same adjusted for the number of rows. */
  readonly adjustedP: number;
  /** The machine's own time / what it was; null where it is not known. */
  readonly machine: number | null;
  readonly thresholdPct: number;
}

/** Says what the evidence of a row is worth; none: the row has no time on a side. */
export function judge(
  [a, b]: readonly [RowSide, RowSide],
  evidence: Evidence | undefined,
  { adjustedP, machine, thresholdPct }: JudgedBy,
): ComparedRow {
  const { ratio = null, interval, times, exactP = null } = evidence ?? {};
  const about = {
    suite: b.suite,
    row_key: b.row["row_key"] ?? "",
    label: b.label,
    warning: [["baseline", a] as const, ["candidate", b] as const].flatMap(([name, { warning }]) =>
      warning ? [`${name}: ${warning}`] : []
    ).join("; "),
    ratio,
    ratio_low: interval?.[0] ?? null,
    ratio_high: interval?.[1] ?? null,
    ratio_of_machine: ratio !== null && machine !== null ? ratio / machine : null,
    p: evidence ? adjustedP : null,
    p_rounds: exactP,
    scatter_pct: evidence && evidence.scatterPct < Infinity ? evidence.scatterPct : null,
    scatter_from: evidence?.source ?? null,
    baseline_us: times?.[0] ?? null,
    candidate_us: times?.[1] ?? null,
    samples: [sampleCount(a), sampleCount(b)] as const,
    rounds: [roundCount(a), roundCount(b)] as const,
    runs: [a.runs.length, b.runs.length] as const,
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
  if (evidence === undefined || ratio === null) return said("no data", "a run has no time for it");
  const threshold = 1 + thresholdPct / 100;
  const percent = `${(100 * (ratio - 1)).toFixed(1)} %`;
  const changed = ratio > 1 ? "slower" : "faster";
  if (ratio <= threshold && ratio >= 1 / threshold) {
    return said("same", `${percent}, within ${thresholdPct} %`);
  }
  if (isApart(samplesOf(a), samplesOf(b), machine ?? 1)) {
    return said(changed, `${percent}, and no sample of one is near the other's`);
  }
  if (evidence.leastExactP > EXACT_P) {
    return said("too few", `${percent}, but so few ${fewText(evidence.source)}`);
  }
  if (exactP !== null && exactP > EXACT_P) {
    const units = evidence.source === "pairs" ? "pairs" : "rounds";
    return said("ambiguous", `${percent}, but its ${units} overlap: p ${exactP.toPrecision(2)}`);
  }
  if (adjustedP > FALSE_DISCOVERIES || evidence.p > ROW_P) {
    const p = adjustedP > FALSE_DISCOVERIES
      ? `p ${adjustedP.toPrecision(2)} among the suite's rows`
      : `p ${evidence.p.toPrecision(2)}`;
    return said("ambiguous", `${percent}, but ${p} ${scatterText(evidence)}`);
  }
  const own = machine === null ? ratio : ratio / machine;
  if (ratio > 1 ? own < threshold : own > 1 / threshold) {
    const moved = timeChangeText(100 * (machine! - 1), 1);
    return said("ambiguous", `${percent}, but the machine itself took ${moved}`);
  }
  return said(changed, percent);
}

function fewText(source: ScatterSource): string {
  const isPaired = source === "pairs";
  let n = 2;
  while ((isPaired ? leastFlipP(n) : leastReachableP(n, n)) > EXACT_P) n++;
  return `${isPaired ? "pairs" : "rounds"} never reach p ${EXACT_P}; ${n}${
    isPaired ? "" : " a side"
  } do`;
}

function scatterText({ source, scatterPct }: Evidence): string {
  if (source === "one run") return "within this run";
  const scatter = `${scatterPct.toFixed(1)} %`;
  if (source === "pairs") return `where pairs scatter by ${scatter}`;
  return `where two runs are ${scatter} apart (${source})`;
}

/**
 * Whether all samples of one side are above all of the other by more than {@linkcode APART_PCT}, as they
 * are and at the machine's speed of then: however few they are, chance does not deal them out like that.
 */
function isApart(a: readonly number[], b: readonly number[], machine: number): boolean {
  if (Math.min(a.length, b.length) < APART_SAMPLES) return false;
  const far = 1 + APART_PCT / 100;
  const [leastA, mostA] = ends(a);
  const [leastB, mostB] = ends(b);
  return leastB * Math.min(1, 1 / machine) > far * mostA ||
    far * mostB * Math.max(1, 1 / machine) < leastA;
}

function ends(values: readonly number[]): readonly [least: number, most: number] {
  return values.reduce(([least, most], v) => [Math.min(least, v), Math.max(most, v)], [
    Infinity,
    -Infinity,
  ]);
}

function samplesOf({ runs }: RowSide): readonly number[] {
  return runs.flatMap(({ samples }) => samples);
}

function roundCount({ runs }: RowSide): number {
  return runs.reduce((sum, { rounds }) => sum + rounds.length, 0);
}
