import { Table } from "@cliffy/table";
import type { CollectiveRow, KernelRow, ScheduleRow } from "../records/rows/row.ts";

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

/** A table as texts. */
export interface ResultTable {
  readonly header: readonly string[];
  /** The first columns are text; numbers stand at the right. */
  readonly textColumns: number;
  readonly body: readonly (readonly string[])[];
}

/** A table of each suite that has rows. */
export function resultTables(
  rows: {
    readonly kernels: readonly KernelRow[];
    readonly collectives: readonly CollectiveRow[];
    readonly schedules: readonly ScheduleRow[];
  },
): readonly ResultTable[] {
  return [
    kernelTexts(rows.kernels),
    collectiveTexts(rows.collectives),
    scheduleTexts(rows.schedules),
  ].filter(({ body }) => body.length > 0);
}

/** A table of kernel rows to be read, sorted by what was measured; the best variant of each is marked. */
export function kernelTable(rows: readonly KernelRow[]): string {
  return draw(kernelTexts(rows), NARROW_KERNELS);
}

/** A table of collective rows, algorithms of one size below each other, the fastest marked. */
export function collectiveTable(rows: readonly CollectiveRow[]): string {
  return draw(collectiveTexts(rows), NARROW_COLLECTIVES);
}

/** A table of schedule rows, in the order in which they were measured, the fastest of a layout marked. */
export function scheduleTable(rows: readonly ScheduleRow[]): string {
  return draw(scheduleTexts(rows), NARROW_SCHEDULES);
}

/** Columns that a narrow terminal does without, the first ones first. */
const NARROW_KERNELS = ["mode", "wrong", "GFLOP/s", "+-%", "context", "GB/s"];
const NARROW_COLLECTIVES = ["type", "count", "skew %", "overlap %", "+-%", "algbw GB/s", "#wrong"];
const NARROW_SCHEDULES = ["ceiling %", "mismatches", "busy %", "wall ms", "TPOT ms", "TTFT ms"];

function kernelTexts(rows: readonly KernelRow[]): ResultTable {
  const key = (r: KernelRow) =>
    [r.op, r.tensor_parallel_size, String(r.tokens).padStart(8), r.context, r.variant].join(" ");
  const group = (r: KernelRow) =>
    [r.op, r.dtype, r.tensor_parallel_size, r.tokens, r.context, r.mode].join(" ");
  const sorted = [...rows].sort((a, b) => key(a) < key(b) ? -1 : 1);
  return texts(sorted, { columns: KERNELS, textColumns: 3, group, best: "us" });
}

function collectiveTexts(rows: readonly CollectiveRow[]): ResultTable {
  const key = (r: CollectiveRow) =>
    [
      r.op,
      r.transport,
      r.memory,
      String(r.logical_ranks).padStart(4),
      String(r.message_bytes).padStart(12),
      r.algorithm,
    ].join(" ");
  const group = (r: CollectiveRow) =>
    [r.op, r.transport, r.memory, r.logical_ranks, r.message_bytes].join(" ");
  const sorted = [...rows].sort((a, b) => key(a) < key(b) ? -1 : 1);
  return texts(sorted, { columns: COLLECTIVES, textColumns: 4, group, best: "time us" });
}

function scheduleTexts(rows: readonly ScheduleRow[]): ResultTable {
  const group = (r: ScheduleRow) =>
    [r.tensor_parallel_size, r.pipeline_parallel_size, r.data_parallel_size].join(" ");
  return texts(rows, { columns: SCHEDULES, textColumns: 1, group, best: "wall ms" });
}

/** Formats rows; a star marks the least value of column `best` in each group of several right rows. */
function texts<Row extends { readonly status?: string | undefined }>(
  rows: readonly Row[],
  { columns, textColumns, group, best }: {
    readonly columns: readonly TableColumn<Row>[];
    readonly textColumns: number;
    readonly group: (row: Row) => string;
    readonly best: string;
  },
): ResultTable {
  const place = columns.findIndex(([title]) => title === best);
  const body = rows.map((row) => columns.map(([, format]) => format(row)));
  const groups = Map.groupBy(rows.keys(), (i) => group(rows[i]!));
  for (const members of groups.values()) {
    const right = members.filter((i) => rows[i]!.status === "ok" && body[i]![place] !== "");
    if (right.length < 2) continue;
    const winner = right.reduce((a, b) =>
      Number(body[b]![place]) < Number(body[a]![place]) ? b : a
    );
    body[winner]![place] = `* ${body[winner]![place]}`;
  }
  return { header: columns.map(([title]) => title), textColumns, body };
}

/** Draws a table as wide as the terminal: columns that do not fit are left out, `spare` ones first. */
function draw({ header, textColumns, body }: ResultTable, spare: readonly string[]): string {
  const width = terminalColumns();
  const left = new Set(header.keys());
  const needed = () =>
    [...left].reduce(
      (sum, i) => sum + 2 + Math.max(header[i]!.length, ...body.map((line) => line[i]!.length)),
      -2,
    );
  for (const title of spare) {
    if (needed() <= width) break;
    left.delete(header.indexOf(title));
  }
  const shown = [...left];
  return new Table()
    .header(shown.map((i) => header[i]!))
    .body(body.map((line) => shown.map((i) => line[i]!)))
    .columns(shown.map((i) => ({ align: i < textColumns ? "left" : "right" })))
    .padding(2)
    .toString();
}

/** Columns of the terminal; no limit where the output goes elsewhere. */
function terminalColumns(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
}
