/** Cells of a row that its samples and its other cells determine. */

import type { Cell } from "../records/rows/column.ts";
import type { Suite } from "../records/rows/suite.ts";
import type { Manifest } from "../records/run_folder/manifest.ts";
import type { SampleRecord } from "../records/run_folder/sample_record.ts";
import { summarise } from "../statistics/summary.ts";
import { timeColumns } from "../records/rows/time_columns.ts";
import { median } from "../statistics/summary.ts";
import type { TextRow } from "../records/run_folder/load_run.ts";
import { rowTimesUs } from "./row_times.ts";

/** What cells are computed from, besides the row. */
export interface DerivedFrom {
  readonly manifest: Manifest | undefined;
  readonly series: SampleRecord["series"] | undefined;
  /** The medians of all rows of the file, by what they are compared with: see {@linkcode rowMedians}. */
  readonly medians: RowMedians;
}

/** Medians of the rows that others are compared with: naive variants and the schedule step. */
export type RowMedians = ReadonlyMap<string, number>;

/** Values by header; what nothing determines is not in it. */
export type DerivedCells = ReadonlyMap<string, Cell>;

/** The medians that speed-ups of a file's rows refer to. */
export function rowMedians(
  suite: Suite,
  rows: readonly TextRow[],
  samples: ReadonlyMap<string, SampleRecord>,
): RowMedians {
  return new Map(rows.flatMap((row): [string, number][] => {
    const series = samples.get(row["row_key"] ?? "")?.series;
    const isBase = row["variant"] === "naive" || row["schedule"] === "step";
    if (!series || !isBase) return [];
    const times = suite === "schedules" ? series["wall_ms"] ?? [] : rowTimesUs(suite, row, series);
    return times.length > 0 ? [[baseKey(suite, row), median(times)]] : [];
  }));
}

/** Computes what can be computed of a row. */
export function derivedCells(suite: Suite, row: TextRow, from_: DerivedFrom): DerivedCells {
  const { manifest, series } = from_;
  const cells = new Map<string, Cell>([["suite", suite]]);
  if (manifest) {
    cells.set("run_id", manifest.run_id);
    cells.set("schema_version", manifest.schema_version);
  }
  const times = series ? rowTimesUs(suite, row, series) : [];
  if (!series || times.length === 0) return cells;
  cells.set("samples", times.length);
  for (const [header, value] of Object.entries(timeColumns(times))) cells.set(header, value);
  const isRanked = row["status"] === "ok";
  const set = (header: string, value: number | undefined) => cells.set(header, value);
  const middle = (name: string) => {
    const values = series[name] ?? [];
    return values.length > 0 ? median(values) : undefined;
  };
  const time = median(times);
  const base = from_.medians.get(baseKey(suite, row));
  if (suite === "kernels") {
    const { mean, p90, p99, stdev } = summarise(times);
    set("time_us_mean", mean);
    set("time_us_p90", p90);
    set("time_us_p99", p99);
    set("time_us_stdev", stdev);
    for (const name of ["gpu_us", "host_us", "submit_us"]) set(`${name}_median`, middle(name));
    set("rate_gflops", isRanked ? Number(row["flops"]) / time / 1e3 : undefined);
    set("rate_gbytes_per_s", isRanked ? Number(row["bytes"]) / time / 1e3 : undefined);
    if (isRanked && base !== undefined) set("speedup_vs_naive", base / time);
  } else if (suite === "collectives") {
    set("algbw_gbytes_per_s", isRanked ? 4 * Number(row["elements"]) / time / 1e3 : undefined);
    const ranks = Object.keys(series).filter((name) => /^rank_\d+_time_us$/.test(name))
      .map((name) => series[name]!);
    const fastest = times.map((_, i) => Math.min(...ranks.map((list) => list[i]!)));
    set("time_us_min_rank", median(fastest));
    set("skew_pct", median(times.map((most, i) => 100 * (most - fastest[i]!) / most)));
  } else {
    const wallMs = middle("wall_ms")!;
    set("wall_ms", wallMs);
    set("repetitions", series["wall_ms"]!.length);
    set("ttft_ms_median", middle("ttft_ms"));
    set("tpot_ms_median", middle("tpot_ms"));
    set("engine_us_median", middle("engine_us"));
    for (const name of ["gpu_us", "host_us", "submit_us"]) set(`${name}_median`, middle(name));
    if (isRanked && base !== undefined) set("speedup_vs_step", base / wallMs);
    if (row["arrivals"] !== "trace") {
      const tokens = Number(row["requests"]) * Number(row["output_tokens"]);
      set("output_tokens_per_s", isRanked ? tokens / wallMs * 1000 : undefined);
    }
  }
  return cells;
}

/** What a row shares with the one that its speed-up refers to. */
function baseKey(suite: Suite, row: TextRow): string {
  const columns = suite === "kernels"
    ? [
      "dtype",
      "op",
      "mode",
      "tensor_parallel_size",
      "tensor_parallel_rank",
      "tokens",
      "context",
    ]
    : [
      "tensor_parallel_size",
      "pipeline_parallel_size",
      "data_parallel_size",
      "admission",
      "head_exchange",
      "sliced_sends",
      "layout_order",
      "stage_layers",
    ];
  return columns.map((column) => row[column] ?? "").join("|");
}
