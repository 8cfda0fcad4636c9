import { count, number, text } from "./column.ts";
import { rowWarning } from "./row_warning.ts";
import { rowTimesUs, summariseRow, timeText } from "./row_times.ts";

/** The columns that every suite's CSV file starts with. */
export const COMMON_COLUMN_TEXTS = {
  schema_version: count("Version of these columns"),
  run_id: text("The run that measured this row"),
  row_key: text(
    "k and a hash of the row's independent variables (marked *), the same in every run",
  ),
  suite: text("kernels, collectives or schedules", { key: true }),
  status: text("ok, wrong, failed or skipped"),
  reason: text("Why the status is not ok; blank where it is"),
  model: text("The model; +hash where model_overrides change its shape", { key: true }),
  dtype: text("Storage of the weights; sums are float32", { key: true }),
  adapter: text("The WebGPU adapter, as its driver names it"),
  adapter_type: text("discrete, integrated, software or unknown"),
  physical_adapters: count("Adapters at work"),
  logical_ranks: count(
    "Ranks at work; they may share an adapter; an independent variable of collectives",
  ),
  clock: text("The clock of the time_us columns: gpu or host"),
  stop_reason: text("Why measuring ended"),
  samples: count("Measured samples, all of them in samples.jsonl", {
    derive: (row, series) => rowTimesUs(row, series).length,
  }),
  time_us_median: timeText("median", "Median time"),
  time_us_min: timeText("min", "Least time"),
  time_us_p95: timeText("p95", "95th percentile of the time"),
  time_us_ci_low: timeText(
    "ciLow",
    "Lower end of the median's 95 % interval, which comes from how rounds differ",
  ),
  time_us_ci_high: timeText("ciHigh", "Upper end of the median's 95 % interval"),
  noise_pct: {
    ...timeText("noisePct", "Half the width of that interval, relative to the median"),
    unit: "%",
  },
  wrong_elements: count("Elements outside the tolerance, of all checked"),
  max_abs_error: number(
    "the output's",
    "Largest difference from the float64 reference; of kernels, of the operation whose error is the largest share of its tolerance",
  ),
  tolerance: number(
    "the output's",
    "Largest difference that passes, from magnitudes and reduction length; of kernels, of that operation",
  ),
  verified_iterations: count("Iterations whose output was checked: every one that was timed", {
    derive: (row) => row["samples"],
  }),
};

/** Columns of every suite that came later: they stand last. */
export const LATER_COMMON_COLUMN_TEXTS = {
  rounds: count(
    "Turns that the samples came in, others' between them; the interval is made of them",
    {
      derive: (row, series) => summariseRow(row, series).rounds,
    },
  ),
  autocorrelation: number(
    "ratio",
    "Lag-1 autocorrelation of the rounds' shares of samples below the median; near 1 where the machine drifts, blank below 3 rounds",
    { derive: (row, series) => summariseRow(row, series).autocorrelation },
  ),
  warning: text(
    "What makes an ok row less good: a machine that drifts, more ranks than adapters or cores, noise, few rounds",
    { derive: rowWarning },
  ),
};
