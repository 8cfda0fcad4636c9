import { canaryPct } from "./canary_pct.ts";
import { type Cell, type Cells, count, flag, number, type Series, text } from "./column.ts";
import { COMMON_COLUMN_TEXTS } from "./common_columns.ts";
import { medianOf, medianText, p99Text, speedUp } from "./row_times.ts";

/** What ranks' wall time is split into. */
const SHARES = ["busy_ms", "fill_drain_ms", "imbalance_ms", "transfer_ms", "host_gap_ms"];

/**
 * The columns of schedules.csv after the common ones; new ones are added at the end only. Labels say its
 * key columns in this order.
 */
export const SCHEDULE_COLUMN_TEXTS = {
  schedule: text("step: one batch at a time; step_with_batch_queue: several in flight", {
    key: true,
    base: "step",
  }),
  tensor_parallel_size: count("Ranks that share every layer", { key: true, short: "tp" }),
  pipeline_parallel_size: count("Stages of layers", { key: true, short: "pp" }),
  data_parallel_size: count("Replicas of the model", { key: true, short: "dp" }),
  max_concurrent_batches: count("Depth of the batch queue", { key: true, short: "depth", base: 1 }),
  requests: count("Requests", { key: true, short: "requests" }),
  prompt_tokens: count("Length of each prompt; of a trace's the mean", {
    unit: "tokens",
    key: true,
    short: "prompt",
  }),
  output_tokens: count("Tokens generated for each request; of a trace's the mean", {
    unit: "tokens",
    key: true,
    short: "output",
  }),
  logical_ranks: {
    ...COMMON_COLUMN_TEXTS.logical_ranks,
    derive: (row: Cells) =>
      ["tensor", "pipeline", "data"].reduce(
        (product, kind) => product * Number(row[`${kind}_parallel_size`]),
        1,
      ),
  },
  wrong_elements: { ...COMMON_COLUMN_TEXTS.wrong_elements, derive: mismatches },
  wall_ms: medianText(
    "wall_ms",
    "Median wall time from the first request to the last token, of all repetitions",
  ),
  output_tokens_per_s: number("tokens/s", "Generated tokens of all requests / wall_ms", {
    derive: (row) => tokensPerS(row, row["wall_ms"]),
  }),
  ttft_ms_median: medianText("ttft_ms", "Median time from a request's arrival to its first token"),
  tpot_ms_median: medianText(
    "tpot_ms",
    "Median over requests of (last - first token) / (tokens - 1); blank for one token",
  ),
  speedup_vs_step: number(
    "ratio",
    "Wall time of schedule step on the same layout, with the admission that is faster / of this one, in the same run",
    { derive: (row, _, bases) => speedUp(row, bases, "wall_ms") },
  ),
  max_in_flight: count("Most batches that were in flight at once, in a replica"),
  busy_pct: number("%", "Share of all ranks' wall time that their adapters worked", {
    derive: shareOf("busy_ms"),
  }),
  fill_drain_pct: number(
    "%",
    "Share of it that ranks waited for the pipeline to fill or drain, or for batches because fewer were in flight than there are stages",
    { derive: shareOf("fill_drain_ms") },
  ),
  imbalance_pct: number(
    "%",
    "Share of it that ranks waited for a slower stage: what equal stages would not have waited",
    { derive: shareOf("imbalance_ms") },
  ),
  transfer_pct: number("%", "Share of it in collectives and sends, waiting for peers included", {
    derive: shareOf("transfer_ms"),
  }),
  host_gap_pct: number(
    "%",
    "Share of it recording, submitting, reading back, and waiting for the engine",
    { derive: shareOf("host_gap_ms") },
  ),
  bubble_pct: number("%", "Share of ranks' time between their steps: idle, whatever the cause", {
    derive: shareOf("idle_ms"),
  }),
  bubble_predicted_pct: number(
    "%",
    "The same for equal stages without host time, of the same scheduler in virtual time; blank where requests come over time",
  ),
  all_reduces: count("All-reduces of one repetition, over all groups"),
  all_gathers: count("All-gathers of one repetition, over all groups"),
  sends: count("Sends between stages in one repetition"),
  collective_bytes: count("Bytes that ranks sent to each other in one repetition", { unit: "B" }),
  token_mismatches: count(
    "Tokens that differ from those of each request alone on one rank, of all repetitions",
    { unit: "tokens", derive: mismatches },
  ),
  oversubscribed: flag("Whether there are more ranks than adapters or cores"),
  max_num_batched_tokens: count("Token budget of a batch", {
    unit: "tokens",
    key: true,
    short: "batch_tokens",
  }),
  max_num_seqs: count("Most requests running at once", { key: true, short: "seqs" }),
  repetitions: count("How often all requests were served", {
    derive: (_, series) => series["wall_ms"]?.length,
  }),
  gpu_us_median: medianText(
    "gpu_us",
    "Median time of a step between the adapter's timestamps, of the slowest rank of each stage, summed over stages; blank where it has none",
  ),
  host_us_median: medianText(
    "host_us",
    "Median wall time of a step on the host, from being submitted to its token ids",
  ),
  submit_us_median: medianText("submit_us", "Median time of recording and submitting a step"),
  readback_us_median: number(
    "us",
    "Median time of a step's wait and read-back beyond the adapter's own time",
    {
      derive: (_, series) =>
        medianOf(
          series["gpu_us"]?.map((gpu, i) => Math.max(0, (series["wait_us"]?.[i] ?? NaN) - gpu)),
        ),
    },
  ),
  ceiling_pct: number(
    "%",
    "Least time of all operations at the ceilings measured in the same run / time of the steps; one rank only, which has the whole adapter",
    { derive: ceilingPct },
  ),
  weight_bytes: count("Bytes of weights, over all ranks", { unit: "B" }),
  kv_cache_bytes: count("Bytes of KV cache, over all ranks", { unit: "B" }),
  canary_pct: number(
    "%",
    "Drift of fixed work after this row since the start of the run: multiply-adds or copying, whichever changed more",
    { derive: canaryPct },
  ),
  arrivals: text("at once; poisson with its rate; or trace: when requests come", {
    key: true,
    usual: "at once",
  }),
  admission: text(
    "greedy: a batch takes all requests it can; split: an equal part for each in flight",
    { key: true, usual: "greedy", anyBase: true },
  ),
  head_exchange: text("How ranks that share the vocabulary find the next token", {
    key: true,
    usual: "all_gather",
  }),
  sliced_sends: flag(
    "Whether each tensor parallel rank sends its slice of the hidden states only",
    { key: true, usual: false },
  ),
  router: text("How requests are given to replicas", { key: true, usual: "least_loaded" }),
  layout_order: text("How ranks are numbered", { key: true, usual: "vllm" }),
  stage_layers: text("Layers of each stage, or even", {
    key: true,
    short: "layers",
    usual: "even",
  }),
  threads_per_rank: text("Threads of each rank's software adapter, or shared out: cores / ranks", {
    key: true,
    short: "threads",
    usual: "shared out",
  }),
  dtype: COMMON_COLUMN_TEXTS.dtype,
  model: COMMON_COLUMN_TEXTS.model,
  simulated_output_tokens_per_s: number(
    "tokens/s",
    "What the same engine reaches in virtual time with the stage times of other rows: of the same layout, else of one whose stages are the same; blank where the run has none",
    { derive: (row) => tokensPerS(row, row["simulated_ms"]) },
  ),
  pipeline_law_tokens_per_s: number(
    "tokens/s",
    "By the pipeline law from the same times: batches of one size leave at min(1 / max t_i, in flight / (sum t_i + sum hop + h)); filling and draining are left out",
    { derive: (row) => tokensPerS(row, row["pipeline_law_ms"]) },
  ),
  engine_us_median: medianText(
    "engine_us",
    "Median time of the engine between a result and the next launch",
  ),
  closure_pct: number(
    "%",
    "Sum of the five shares as they were measured: below 100 by what no span covers, above it by what two do",
    { derive: shareOf(...SHARES) },
  ),
  prediction_error_pct: number(
    "%",
    "simulated_output_tokens_per_s / output_tokens_per_s - 1: above 0 where too much was predicted",
    {
      derive: ({ simulated_output_tokens_per_s: simulated, output_tokens_per_s: reached }) =>
        simulated === undefined || reached === undefined
          ? undefined
          : 100 * (Number(simulated) / Number(reached) - 1),
    },
  ),
  ttft_ms_p99: p99Text(
    "ttft_ms",
    "99th percentile of the time from a request's arrival to its first token, of all requests and repetitions",
  ),
  tpot_ms_p99: p99Text("tpot_ms", "99th percentile of (last - first token) / (tokens - 1)"),
  itl_ms_median: medianText(
    "itl_ms",
    "Median time between a token and the one before of the same request (inter-token latency)",
  ),
  itl_ms_p99: p99Text("itl_ms", "99th percentile of that time"),
  e2e_ms_median: medianText("e2e_ms", "Median time from a request's arrival to its last token"),
  e2e_ms_p99: p99Text("e2e_ms", "99th percentile of that time"),
  reference_tokens: count(
    "Tokens of one request, alone on one rank, that were compared with a float64 decoder's in this run: all of the shortest one's; fewer, or 0, where that would take over 10 s",
    { unit: "tokens" },
  ),
  reference_mismatches: count(
    "Of them, those that the float64 decoder would not choose by more than rounding explains; then the row is wrong",
    { unit: "tokens" },
  ),
};

/** The share of ranks x wall that series of times sum to. */
function shareOf(...kinds: readonly string[]) {
  return (_: Cells, series: Series) =>
    100 * kinds.reduce((total, kind) => total + sum(series[kind]), 0) /
    sum(series["ranks_wall_ms"]);
}

function mismatches(_: Cells, series: Series): number {
  return sum(series["mismatched_tokens"]);
}

/** Rate of generated tokens, a fact of the row; blank where the row is not right or there is no time. */
function tokensPerS(row: Cells, ms: Cell): number | undefined {
  return row["status"] === "ok" && ms !== undefined
    ? Number(row["generated_tokens"]) / Number(ms) * 1000
    : undefined;
}

/** `ideal_us`, a fact of rows of one rank, is the least time of one repetition's steps. */
function ceilingPct(row: Cells, series: Series): number | undefined {
  if (row["status"] !== "ok" || row["ideal_us"] === undefined) return undefined;
  return 100 * Number(row["ideal_us"]) * Number(row["repetitions"]) /
    (1000 * sum(series["busy_ms"]));
}

/** Not a number, which is written as a blank cell, where there are no such samples: that is not none. */
function sum(values: readonly number[] | undefined): number {
  if (!values) return NaN;
  return values.reduce((total, value) => total + value, 0);
}
