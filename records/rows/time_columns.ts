import { summarise } from "../../statistics/summary.ts";

/** The columns of a row's measured times, which every suite has. */
export function timeColumns(timesUs: readonly number[]) {
  const time = summarise(timesUs);
  return {
    time_us_median: time.median,
    time_us_min: time.min,
    time_us_p95: time.p95,
    time_us_ci_low: time.ciLow,
    time_us_ci_high: time.ciHigh,
    noise_pct: time.noisePct,
  };
}
