import { canaryPct } from "./canary_pct.ts";
import { median } from "../../statistics/summary.ts";
import { type Cell, type Cells, count, flag, number, text } from "./column.ts";
import { COMMON_COLUMN_TEXTS } from "./common_columns.ts";
import { iterations, medianText, rankSeries, rowRate } from "./row_times.ts";

/**
 * The columns of collectives.csv after the common ones; new ones are added at the end only. Labels say
 * its key columns in this order.
 */
export const COLLECTIVE_COLUMN_TEXTS = {
  op: text("The collective operation", { key: true }),
  algorithm: text("How it is done; auto: the fastest measured", { key: true }),
  transport: text(
    "workers: ranks in Workers over shared memory; same_device: logical ranks on one adapter",
    { key: true },
  ),
  memory: text("Where operands and results lie: host or device", { key: true }),
  logical_ranks: { ...COMMON_COLUMN_TEXTS.logical_ranks, key: "ranks", short: "ranks" },
  message_bytes: count(
    "S, size of the operand; of the total array for all_gather and reduce_scatter",
    { unit: "B", key: true, short: "bytes" },
  ),
  dtype: { ...COMMON_COLUMN_TEXTS.dtype, usual: "float32" },
  model: COMMON_COLUMN_TEXTS.model,
  elements: count("float32 elements of it"),
  steps: count("Steps in which ranks read each other's memory"),
  sent_bytes_per_rank: count("Bytes that the busiest rank sends", { unit: "B" }),
  algbw_gbytes_per_s: number("1e9 B/s", "S / median time", {
    derive: (row) => rowRate(row, 4 * Number(row["elements"])),
  }),
  busbw_gbytes_per_s: number(
    "1e9 B/s",
    "algbw times the operation's factor, as in nccl-tests; blank on same_device, which has no bus",
    { derive: (row) => product(row["algbw_gbytes_per_s"], row["busbw_factor"]) },
  ),
  time_us_min_rank: number(
    "us",
    "Median over iterations of the fastest rank's time; time_us_* are the slowest rank's",
    {
      derive: (_, series) =>
        median(iterations(rankSeries(series, "time_us")).map((times) => Math.min(...times))),
    },
  ),
  skew_pct: number("%", "Median of (slowest - fastest rank) / slowest", {
    derive: (_, series) =>
      median(
        iterations(rankSeries(series, "time_us")).map((times) => {
          const slowest = Math.max(...times);
          return 100 * (slowest - Math.min(...times)) / slowest;
        }),
      ),
  }),
  chosen_algorithm: text("What auto chose"),
  read_us_median: medianText(
    "read_us",
    "Of device memory: median time from the adapter to shared memory",
  ),
  exchange_us_median: medianText(
    "exchange_us",
    "Of device memory: median time of the collective in shared memory",
  ),
  write_us_median: medianText(
    "write_us",
    "Of device memory: median time back, until the result lies on the adapter",
  ),
  read_gbytes_per_s: number("1e9 B/s", "Operand bytes of a rank / read_us_median", {
    derive: (row) => rate(row["operand_bytes"], row["read_us_median"]),
  }),
  write_gbytes_per_s: number("1e9 B/s", "Result bytes of a rank / write_us_median", {
    derive: (row) => rate(row["result_bytes"], row["write_us_median"]),
  }),
  overlap_pct: number(
    "%",
    "How much of it hides behind a GEMM on the adapter: 0 if both take turns, 100 if neither slows the other; below 0 if turns would be faster, above 100 if they were measured faster together",
    { derive: overlapPct },
  ),
  oversubscribed: flag("Whether there are more ranks than cores"),
  canary_pct: number(
    "%",
    "Drift of fixed work after this row since the start of the run: multiply-adds or copying, whichever changed more",
    { derive: canaryPct },
  ),
};

function product(a: Cell, b: Cell): number | undefined {
  return a === undefined || b === undefined ? undefined : Number(a) * Number(b);
}

function rate(bytes: Cell, us: Cell): number | undefined {
  return bytes === undefined || us === undefined ? undefined : Number(bytes) / Number(us) / 1e3;
}

/** Taking turns, collective and GEMM keep shares of their own speed that sum to 1; in parallel to 2. */
function overlapPct(row: Cells): number | undefined {
  if (row["overlap_gemm_us"] === undefined) return undefined;
  const kept = (what: string) =>
    Number(row[`overlap_${what}_us`]) / Number(row[`overlap_${what}_beside_us`]);
  return 100 * (kept("collective") + kept("gemm") - 1);
}
