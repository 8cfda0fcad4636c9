import { Table } from "@cliffy/table";
import type { CollectiveRow, KernelRow, ScheduleRow } from "../bench/row.ts";

const number = (value: unknown, digits: number) =>
  typeof value === "number" ? value.toFixed(digits) : "";

type TableColumn<Row> = readonly [title: string, format: (row: Row) => string];

const KERNELS: readonly TableColumn<KernelRow>[] = [
  ["op", (r) => r.op],
  ["variant", (r) => r.variant],
  ["mode", (r) => r.mode],
  ["tp", (r) => String(r.tensor_parallel_size)],
  ["tokens", (r) => String(r.tokens)],
  ["context", (r) => String(r.context)],
  ["us", (r) => number(r.time_us_median, 1)],
  ["+-%", (r) => number(r.noise_pct, 1)],
  ["GFLOP/s", (r) => number(r.rate_gflops, 2)],
  ["GB/s", (r) => number(r.rate_gbytes_per_s, 2)],
  ["ceiling %", (r) => number(r.ceiling_pct, 1)],
  ["x naive", (r) => number(r.speedup_vs_naive, 1)],
  ["wrong", (r) => String(r.wrong_elements ?? "")],
  ["status", (r) => r.status ?? ""],
];

const SCHEDULES: readonly TableColumn<ScheduleRow>[] = [
  ["schedule", (r) => r.schedule],
  ["tp", (r) => String(r.tensor_parallel_size)],
  ["pp", (r) => String(r.pipeline_parallel_size)],
  ["dp", (r) => String(r.data_parallel_size)],
  ["depth", (r) => String(r.max_concurrent_batches)],
  ["wall ms", (r) => number(r.wall_ms, 1)],
  ["tokens/s", (r) => number(r.output_tokens_per_s, 2)],
  ["TTFT ms", (r) => number(r.ttft_ms_median, 1)],
  ["TPOT ms", (r) => number(r.tpot_ms_median, 2)],
  ["busy %", (r) => number(r.busy_pct, 1)],
  ["ceiling %", (r) => number(r.ceiling_pct, 1)],
  ["x step", (r) => number(r.speedup_vs_step, 2)],
  ["mismatches", (r) => String(r.token_mismatches ?? "")],
  ["status", (r) => r.status ?? ""],
];

/** As in nccl-tests: size, count, type, then time and the two bandwidths. */
const COLLECTIVES: readonly TableColumn<CollectiveRow>[] = [
  ["op", (r) => r.op],
  ["algorithm", (r) => r.chosen_algorithm ? `${r.algorithm} (${r.chosen_algorithm})` : r.algorithm],
  ["transport", (r) => r.transport],
  ["memory", (r) => r.memory],
  ["ranks", (r) => String(r.logical_ranks ?? "")],
  ["size B", (r) => String(r.message_bytes)],
  ["count", (r) => String(r.elements ?? "")],
  ["type", (r) => r.dtype],
  ["time us", (r) => number(r.time_us_median, 1)],
  ["+-%", (r) => number(r.noise_pct, 1)],
  ["algbw GB/s", (r) => number(r.algbw_gbytes_per_s, 3)],
  ["busbw GB/s", (r) => number(r.busbw_gbytes_per_s, 3)],
  ["skew %", (r) => number(r.skew_pct, 0)],
  ["overlap %", (r) => number(r.overlap_pct, 0)],
  ["#wrong", (r) => String(r.wrong_elements ?? "")],
  ["status", (r) => r.status ?? ""],
];

/** A table of kernel rows to be read, sorted by what was measured. */
export function kernelTable(rows: readonly KernelRow[]): string {
  const key = (r: KernelRow) =>
    [r.op, r.tensor_parallel_size, String(r.tokens).padStart(8), r.context, r.variant].join(" ");
  const sorted = [...rows].sort((a, b) => key(a) < key(b) ? -1 : 1);
  return table(sorted, { columns: KERNELS, textColumns: 3 });
}

/** A table of collective rows, algorithms of one size below each other. */
export function collectiveTable(rows: readonly CollectiveRow[]): string {
  const key = (r: CollectiveRow) =>
    [
      r.op,
      r.transport,
      r.memory,
      String(r.logical_ranks).padStart(4),
      String(r.message_bytes).padStart(12),
      r.algorithm,
    ].join(" ");
  const sorted = [...rows].sort((a, b) => key(a) < key(b) ? -1 : 1);
  return table(sorted, { columns: COLLECTIVES, textColumns: 4 });
}

/** A table of schedule rows, in the order in which they were measured. */
export function scheduleTable(rows: readonly ScheduleRow[]): string {
  return table(rows, { columns: SCHEDULES, textColumns: 1 });
}

/** The first columns are text; numbers stand at the right. */
function table<Row>(
  rows: readonly Row[],
  { columns, textColumns }: {
    readonly columns: readonly TableColumn<Row>[];
    readonly textColumns: number;
  },
): string {
  return new Table()
    .header(columns.map(([title]) => title))
    .body(rows.map((row) => columns.map(([, format]) => format(row))))
    .columns(columns.map((_, i) => ({ align: i < textColumns ? "left" : "right" })))
    .padding(2)
    .toString();
}
