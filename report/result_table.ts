import { Table } from "@cliffy/table";
import type { CollectiveRow, KernelRow, ScheduleRow } from "../records/rows/row.ts";
import { type Suite, SUITES } from "../records/rows/suite.ts";
import type { SuiteRows } from "../records/rows/suite_rows.ts";

const number = (value: unknown, digits: number) =>
  typeof value === "number" ? value.toFixed(digits) : "";

type TableColumn<Row> = readonly [title: string, format: (row: Row) => string];

/** Why a row has no good result, or what makes a good one less good. */
const NOTE = [
  "note",
  (r: { readonly reason?: string | undefined; readonly warning?: string | undefined }) =>
    r.reason || r.warning || "",
] as const;

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
  NOTE,
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
  NOTE,
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
  NOTE,
];

/** A table as texts. */
export interface ResultTable {
  readonly header: readonly string[];
  /** The first columns are text; numbers stand at the right. */
  readonly textColumns: number;
  readonly body: readonly (readonly string[])[];
}

/** How the rows of a suite are shown. */
interface TableLayout<Row> {
  readonly columns: readonly TableColumn<Row>[];
  readonly textColumns: number;
  /** What rows are sorted by; as they were measured where absent. */
  readonly order?: (row: Row) => string;
  /** Rows that compete with each other. */
  readonly group: (row: Row) => string;
  /** The column whose least value is the best. */
  readonly best: string;
  /** Columns that a narrow terminal does without, the first ones first. */
  readonly spare: readonly string[];
}

const words = (...parts: readonly unknown[]) => parts.join(" ");

const LAYOUTS: { readonly [S in Suite]: TableLayout<SuiteRows[S][number]> } = {
  kernels: {
    columns: KERNELS,
    textColumns: 3,
    order: (r) =>
      words(r.op, r.tensor_parallel_size, String(r.tokens).padStart(8), r.context, r.variant),
    group: (r) => words(r.op, r.dtype, r.tensor_parallel_size, r.tokens, r.context, r.mode),
    best: "us",
    spare: ["note", "mode", "wrong", "GFLOP/s", "+-%", "context", "GB/s"],
  },
  collectives: {
    columns: COLLECTIVES,
    textColumns: 4,
    order: (r) => {
      const ranks = String(r.logical_ranks).padStart(4);
      const bytes = String(r.message_bytes).padStart(12);
      return words(r.op, r.transport, r.memory, ranks, bytes, r.algorithm);
    },
    group: (r) => words(r.op, r.transport, r.memory, r.logical_ranks, r.message_bytes),
    best: "time us",
    spare: ["note", "type", "count", "skew %", "overlap %", "+-%", "algbw GB/s", "#wrong"],
  },
  schedules: {
    columns: SCHEDULES,
    textColumns: 1,
    group: (r) => words(r.tensor_parallel_size, r.pipeline_parallel_size, r.data_parallel_size),
    best: "wall ms",
    spare: ["note", "ceiling %", "mismatches", "busy %", "wall ms", "TPOT ms", "TTFT ms"],
  },
};

/** A table of each suite that has rows. */
export function resultTables(rows: SuiteRows): readonly ResultTable[] {
  return SUITES.map((suite) => tableOf(suite, rows)).filter(({ body }) => body.length > 0);
}

/** The table of a suite to be read, `width` characters wide; the best row of each group is marked. */
export function drawTable(suite: Suite, rows: SuiteRows, width: number): string {
  const { header, textColumns, body } = tableOf(suite, rows);
  const left = new Set(header.keys());
  const needed = () =>
    [...left].reduce(
      (sum, i) => sum + 2 + Math.max(header[i]!.length, ...body.map((line) => line[i]!.length)),
      -2,
    );
  for (const title of LAYOUTS[suite].spare) {
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

function tableOf(suite: Suite, rows: SuiteRows): ResultTable {
  const { order, ...layout }: TableLayout<never> = LAYOUTS[suite];
  const own = rows[suite] as readonly never[];
  const sorted = order ? [...own].sort((a, b) => order(a) < order(b) ? -1 : 1) : own;
  return texts(sorted, layout);
}

/** Formats rows; a star marks the least value of column `best` in each group of several right rows. */
function texts<Row extends { readonly status?: string | undefined }>(
  rows: readonly Row[],
  { columns, textColumns, group, best }: Omit<TableLayout<Row>, "order">,
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
