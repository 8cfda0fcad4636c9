import { canaryPct } from "./canary_pct.ts";
import { type Cells, count, number, text } from "./column.ts";
import { COMMON_COLUMN_TEXTS } from "./common_columns.ts";
import { medianText, rowRate, speedUp, timeText } from "./row_times.ts";

/**
 * The columns of kernels.csv after the common ones; new ones are added at the end only. Labels say its
 * key columns in this order.
 */
export const KERNEL_COLUMN_TEXTS = {
  op: text("The operator: a rank's shard of a module, or a primitive", { key: true }),
  dtype: COMMON_COLUMN_TEXTS.dtype,
  variant: text("Which of the operator's implementations", { key: true, base: "naive" }),
  mode: text(
    "hot: right after another run over the same buffers; cold: caches evicted before each run",
    { key: true, usual: "hot" },
  ),
  tensor_parallel_size: count("Ranks that share the module", { key: true, short: "tp" }),
  tensor_parallel_rank: count("Whose shard was measured", { key: true, short: "rank", usual: 0 }),
  tokens: count("T, new tokens", { unit: "tokens", key: true, short: "tokens" }),
  context: count(
    "S, positions that attention sees, the new tokens at its end; max(context, tokens) is used",
    { unit: "positions", key: true, short: "context" },
  ),
  model: COMMON_COLUMN_TEXTS.model,
  logical_ranks: { ...COMMON_COLUMN_TEXTS.logical_ranks, derive: () => 1 },
  flops: count("Floating-point operations of one iteration", { unit: "operations" }),
  bytes: count("Bytes one iteration must read and write at least", { unit: "B" }),
  rate_gflops: number("1e9 operations/s", "flops / median time", {
    derive: (row) => rowRate(row, Number(row["flops"])),
  }),
  rate_gbytes_per_s: number("1e9 B/s", "bytes / median time", {
    derive: (row) => rowRate(row, Number(row["bytes"])),
  }),
  ceiling_pct: number(
    "%",
    "The better of the two rates, of the ceiling measured in the same run: of caches in hot mode, of memory in cold",
    { derive: ceilingPct },
  ),
  speedup_vs_naive: number(
    "ratio",
    "Median time of the naive variant / of this one, in the same run",
    { derive: (row, _, bases) => speedUp(row, bases, "time_us_median") },
  ),
  host_us_median: medianText(
    "host_us",
    "Median wall time of an iteration on the host, from submit to done",
  ),
  submit_us_median: medianText("submit_us", "Median time of encoding and submitting"),
  first_dispatch_ms: number("ms", "Wall time of the first dispatch, not among the samples"),
  readback: text("How results come back from the adapter"),
  time_us_mean: timeText("mean", "Mean time"),
  time_us_p90: timeText("p90", "90th percentile of the time"),
  time_us_p99: timeText("p99", "99th percentile of the time; blank below 100 samples"),
  time_us_stdev: timeText("stdev", "Sample standard deviation of the time (n - 1)"),
  gpu_us_median: medianText(
    "gpu_us",
    "Median time between the adapter's timestamps; blank where it has none",
  ),
  pipeline_ms: number("ms", "Wall time of creating the pipeline"),
  canary_pct: number(
    "%",
    "Drift of fixed work beside this row since the start of the run: multiply-adds or copying, whichever changed more",
    { derive: canaryPct },
  ),
  chosen_variant: text(
    "What ran: each operation's kernel/variant, as shaders of the manifest has them; of best, what it chose",
  ),
};

/** The least time at the ceilings of then, facts of the row, as a share of the median time. */
function ceilingPct(row: Cells): number | undefined {
  if (row["status"] !== "ok") return undefined;
  const computeUs = Number(row["flops"]) / Number(row["ceiling_gflops"]) / 1e3;
  const memoryUs = Number(row["bytes"]) / Number(row["ceiling_gbytes_per_s"]) / 1e3;
  return 100 * Math.max(computeUs, memoryUs) / Number(row["time_us_median"]);
}
