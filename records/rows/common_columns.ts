import type { ColumnTexts } from "./column.ts";
import { rowTimesUs, timeText } from "./row_times.ts";

/** The columns that every suite's CSV file starts with. */
export const COMMON_COLUMN_TEXTS = {
  schema_version: { kind: "count", meaning: "Version of these columns" },
  run_id: { kind: "text", meaning: "The run that measured this row" },
  row_key: {
    kind: "text",
    meaning: "Hash of the row's independent variables (marked *), the same in every run",
  },
  suite: { kind: "text", meaning: "kernels, collectives or schedules", key: true },
  status: { kind: "text", meaning: "ok, wrong, failed or skipped" },
  reason: { kind: "text", meaning: "Why the status is not ok" },
  model: {
    kind: "text",
    meaning: "The model; +hash where model_overrides change its shape",
    key: true,
  },
  dtype: { kind: "text", meaning: "Storage of the weights; sums are float32", key: true },
  adapter: { kind: "text", meaning: "The WebGPU adapter, as its driver names it" },
  adapter_type: { kind: "text", meaning: "discrete, integrated, software or unknown" },
  physical_adapters: { kind: "count", meaning: "Adapters at work" },
  logical_ranks: {
    kind: "count",
    meaning: "Ranks at work; they may share an adapter; an independent variable of collectives",
  },
  clock: { kind: "text", meaning: "The clock of the time_us columns: gpu or host" },
  stop_reason: { kind: "text", meaning: "Why measuring ended" },
  samples: {
    kind: "count",
    meaning: "Measured samples, all of them in samples.jsonl",
    derive: (row, series) => rowTimesUs(row, series).length,
  },
  time_us_median: timeText("median", "Median time"),
  time_us_min: timeText("min", "Least time"),
  time_us_p95: timeText("p95", "95th percentile of the time"),
  time_us_ci_low: timeText("ciLow", "Lower end of the median's 95 % interval"),
  time_us_ci_high: timeText("ciHigh", "Upper end of the median's 95 % interval"),
  noise_pct: {
    ...timeText("noisePct", "Half the width of that interval, relative to the median"),
    unit: "%",
  },
  wrong_elements: { kind: "count", meaning: "Elements outside the tolerance, of all checked" },
  max_abs_error: {
    kind: "number",
    unit: "the output's",
    meaning: "Largest difference from the float64 reference",
  },
  tolerance: {
    kind: "number",
    unit: "the output's",
    meaning: "Largest difference that passes, from dtype and reduction length",
  },
  verified_iterations: {
    kind: "count",
    meaning: "Iterations whose output was checked: every one that was timed",
    derive: (row) => row["samples"],
  },
} as const satisfies ColumnTexts;
