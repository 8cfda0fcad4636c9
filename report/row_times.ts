import type { Suite } from "../records/rows/suite.ts";
import type { SampleRecord } from "../records/run_folder/sample_record.ts";
import type { TextRow } from "../records/run_folder/load_run.ts";

/**
 * The samples that a row's `time_us_*` summarise, in us: of kernels on the row's clock, of collectives
 * the slowest rank's, of schedules the steps'. Empty where there are none.
 */
export function rowTimesUs(
  suite: Suite,
  row: TextRow,
  series: SampleRecord["series"],
): readonly number[] {
  if (suite === "schedules") return series["host_us"] ?? [];
  if (suite === "kernels") return series[row["clock"] === "gpu" ? "gpu_us" : "host_us"] ?? [];
  return slowestRank(series);
}

function slowestRank(series: SampleRecord["series"]): readonly number[] {
  const ranks = Object.entries(series).filter(([name]) => /^rank_\d+_time_us$/.test(name))
    .map(([, times]) => times);
  return ranks[0]?.map((_, i) => Math.max(...ranks.map((times) => times[i]!))) ?? [];
}
