/** What columns take from the raw samples of a row. */

import { quantile } from "../../statistics/quantile.ts";
import { median, P99_SAMPLES, summarise, type Summary } from "../../statistics/summary.ts";
import { type Cells, number, type Series } from "./column.ts";

/**
 * The samples that a row's `time_us_*` summarise, in us: of kernels on the row's clock, of collectives
 * the slowest rank's, of schedules the steps'. Empty where there are none.
 */
export function rowTimesUs(row: Cells, series: Series): readonly number[] {
  if (row["suite"] === "collectives") return slowestRank(rankSeries(series, "time_us"));
  return series[row["suite"] === "kernels" && row["clock"] === "gpu" ? "gpu_us" : "host_us"] ?? [];
}

/** What the samples of a row say, by rounds where its series say which round each is of. */
export function summariseRow(row: Cells, series: Series): Summary {
  return summarise(rowTimesUs(row, series), series["round"]);
}

/** A column of times in us: one number of the summary of {@linkcode rowTimesUs}. */
export function timeText(of: keyof Summary, meaning: string) {
  const derive = (row: Cells, series: Series) => summariseRow(row, series)[of];
  return number("us", meaning, { derive });
}

/** A column of the median of all samples of a kind, in their own unit. */
export function medianText(kind: string, meaning: string) {
  const derive = (_: Cells, series: Series) =>
    medianOf([...series[kind] ?? [], ...rankSeries(series, kind).flat()]);
  return number(kind.slice(-2), meaning, { derive });
}

/** A column of the 99th percentile of all samples of a kind, in their own unit; blank for fewer than 100. */
export function p99Text(kind: string, meaning: string) {
  const derive = (_: Cells, series: Series) => p99Of(series[kind]);
  return number(kind.slice(-2), `${meaning}; blank for fewer than ${P99_SAMPLES}`, { derive });
}

function p99Of(samples: readonly number[] = []): number | undefined {
  if (samples.length < P99_SAMPLES) return undefined;
  return quantile([...samples].sort((a, b) => a - b), 0.99);
}

/** The median of samples in their own unit, or undefined where there are none. */
export function medianOf(samples: readonly number[] | undefined): number | undefined {
  return samples && samples.length > 0 ? median(samples) : undefined;
}

/** A kind of samples of every rank: `rank_0_time_us`, `rank_1_time_us` and so on. */
export function rankSeries(series: Series, kind: string): readonly (readonly number[])[] {
  return Object.entries(series).filter(([name]) => /^rank_\d+_(.*)$/.exec(name)?.[1] === kind)
    .map(([, samples]) => samples);
}

/** Each iteration's time: that of the slowest rank. */
export function slowestRank(ranks: readonly (readonly number[])[]): readonly number[] {
  return iterations(ranks).map((times) => Math.max(...times));
}

/** The times of every iteration, by rank. */
export function iterations(ranks: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return ranks[0]?.map((_, i) => ranks.map((times) => times[i]!)) ?? [];
}

/** 1e9 a second of a count in the median time; blank where the row is not right. */
export function rowRate(row: Cells, count: number): number | undefined {
  return row["status"] === "ok" ? count / Number(row["time_us_median"]) / 1e3 : undefined;
}

/**
 * How many times as long the best of the bases took, by a column of all; blank where the row is not right,
 * or none of them is.
 */
export function speedUp(row: Cells, bases: readonly Cells[], column: string): number | undefined {
  const right = bases.filter(({ status }) => status === "ok").map((base) => base[column])
    .filter((cell) => typeof cell === "number");
  return row["status"] === "ok" && right.length > 0
    ? Math.min(...right) / Number(row[column])
    : undefined;
}
