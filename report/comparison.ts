/** What sides have to do with each other: their rows judged, what only one has, and what to mind. */

import type { Suite } from "../records/rows/suite.ts";
import type { LoadedRun } from "../records/run_folder/load_run.ts";
import { adjustP } from "../statistics/mann_whitney.ts";
import type { Evidence } from "./evidence.ts";
import { type ComparedRow, judge } from "./judge_row.ts";
import { type RowSide, sampleCount, sideUs } from "./row_side.ts";

/** A row that only one side has. */
export interface OneSidedRow {
  /** Whose row it is. */
  readonly suite: Suite;
  /** The same in every run. */
  readonly row_key: string;
  /** What it is, in words. */
  readonly label: string;
  /** Whether it is ok, wrong, failed or skipped. */
  readonly status: string;
  /** Median time in us; null where it has none. */
  readonly time_us: number | null;
  /** How often it was measured. */
  readonly samples: number;
}

/** What two sides have to do with each other. */
export interface Comparison {
  /** Path of the baseline; of several runs with commas between. */
  readonly baseline: string;
  /** Path of the candidate. */
  readonly candidate: string;
  /** The least change that counts, in %. */
  readonly threshold_pct: number;
  /** Rows that both sides have. */
  readonly rows: readonly ComparedRow[];
  /** Rows that only the baseline has. */
  readonly missing: readonly OneSidedRow[];
  /** Rows that only the candidate has. */
  readonly added: readonly OneSidedRow[];
  /** Geometric mean of the ratios of matched rows; null where there are none. */
  readonly geometric_mean: number | null;
  /** The candidate's canary time / the baseline's: the machine's own speed; null where unknown. */
  readonly machine_ratio: number | null;
  /** Rows judged by the default floor, since this machine has none for their class. */
  readonly without_floor: number;
  /** Whether verdicts rest on the files' intervals, since raw samples are not there. */
  readonly without_samples: boolean;
  /** Why a gate must not pass though no row is a regression; empty where it may. */
  readonly incomplete: readonly string[];
}

/** A row of both sides. */
export interface Pair {
  readonly a: RowSide;
  readonly b: RowSide;
  readonly evidence: Evidence | undefined;
}

/** What a comparison is made of. */
export interface Compared {
  /** Runs of the baseline, and of the candidate. */
  readonly runs: readonly [readonly LoadedRun[], readonly LoadedRun[]];
  readonly pairs: readonly Pair[];
  /** Rows without a counterpart. */
  readonly missing: readonly RowSide[];
  readonly added: readonly RowSide[];
  readonly thresholdPct: number;
  /** Whether both sides took turns: then the machine's own speed was theirs alike. */
  readonly inTurns?: boolean;
}

/**
 * Judges pairs of rows, and says what keeps a gate from passing.
 * @throws {RangeError} where the threshold is no share.
 */
export function conclude(
  { runs, pairs, thresholdPct, inTurns = false, ...lonely }: Compared,
): Comparison {
  const machine = inTurns ? null : machineRatio(runs);
  const rows = judgePairs(pairs, { thresholdPct, machine });
  const missing = lonely.missing.map(oneSided);
  return {
    baseline: runs[0].map(({ path }) => path).join(","),
    candidate: runs[1].map(({ path }) => path).join(","),
    threshold_pct: thresholdPct,
    rows,
    missing,
    added: lonely.added.map(oneSided),
    machine_ratio: machine,
    ...summaryOf(rows),
    incomplete: [
      ...[...new Set(runs.flat())].flatMap(repeatedKeys),
      ...(missing.length > 0 ? [`${missing.length} rows of the baseline are missing`] : []),
      ...unevenRows("baseline", [...pairs.map(({ a }) => a), ...lonely.missing], runs[0].length),
      ...unevenRows("candidate", [...pairs.map(({ b }) => b), ...lonely.added], runs[1].length),
      ...gaps(pairs, rows),
    ],
  };
}

/** Judges rows; chances are adjusted within each suite. */
function judgePairs(
  pairs: readonly Pair[],
  { thresholdPct, machine }: { readonly thresholdPct: number; readonly machine: number | null },
): readonly ComparedRow[] {
  if (!(thresholdPct >= 0 && thresholdPct < Infinity)) {
    throw new RangeError(`Cannot compare within ${thresholdPct} %; legal: 0 or more`);
  }
  const tested = pairs.filter(({ evidence }) => evidence !== undefined);
  const adjusted = new Map(
    [...Map.groupBy(tested, ({ b }) => b.suite).values()].flatMap((members) => {
      const chances = adjustP(members.map(({ evidence }) => evidence!.p));
      return members.map((pair, i) => [pair, chances[i]!] as const);
    }),
  );
  return pairs.map((pair) =>
    judge([pair.a, pair.b], pair.evidence, {
      adjustedP: adjusted.get(pair) ?? 1,
      machine,
      thresholdPct,
    })
  );
}

/** Numbers over all rows. */
function summaryOf(rows: readonly ComparedRow[]) {
  const logs = rows.flatMap(({ ratio }) => ratio === null ? [] : [Math.log(ratio)]);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return {
    geometric_mean: logs.length === 0 ? null : Math.exp(mean),
    without_floor: rows.filter((row) => row.scatter_from === "default floor").length,
    without_samples: rows.some(({ rounds, ratio }) => ratio !== null && rounds.includes(0)),
  };
}

/** Rows that were ok and have no time any more, and changes that so few samples cannot show. */
function gaps(pairs: readonly Pair[], rows: readonly ComparedRow[]): readonly string[] {
  const lost = rows.filter(({ ratio, is_regression }, i) =>
    ratio === null && pairs[i]!.a.row["status"] === "ok" && !is_regression
  );
  const few = rows.filter(({ verdict }) => verdict === "too few");
  return [
    ...(lost.length > 0 ? [`${lost.length} rows that were ok have no time any more`] : []),
    ...(few.length > 0
      ? [`${few.length} rows changed, but have too few rounds to say so for certain`]
      : []),
  ];
}

function oneSided({ suite, label, row, runs }: RowSide): OneSidedRow {
  return {
    suite,
    row_key: row["row_key"] ?? "",
    label,
    status: row["status"] ?? "",
    time_us: row["status"] === "ok" ? sideUs(runs) ?? null : null,
    samples: sampleCount({ row, runs }),
  };
}

/** A row that some runs of a side lack was not measured as often as it seems. */
function unevenRows(
  side: string,
  rows: readonly RowSide[],
  runs: number,
): readonly string[] {
  const uneven = rows.filter((row) => row.runs.length !== runs).length;
  return uneven > 0 ? [`${uneven} rows of the ${side} are not in all of its ${runs} runs`] : [];
}

/** A key names one row; where it names several, none of them can be judged. */
function repeatedKeys({ path, suites }: LoadedRun): readonly string[] {
  const keys = suites.flatMap(({ rows }) => rows.map((row) => row["row_key"] ?? ""));
  const twice = keys.length - new Set(keys).size;
  return twice > 0 ? [`${twice} rows of ${path} repeat another row's key`] : [];
}

/** How much longer the machine itself took: the ratio of the canaries' geometric means. */
function machineRatio(runs: Compared["runs"]): number | null {
  const [own, other] = runs.map((side) => {
    const logs = side.map(({ manifest }) => Math.log(Number(manifest?.["canary_us"] ?? 0)));
    return logs.reduce((sum, log) => sum + log, 0) / logs.length;
  });
  const ratio = Math.exp(other! - own!);
  return ratio > 0 && ratio < Infinity ? ratio : null;
}
