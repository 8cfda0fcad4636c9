import type { Config } from "../../config/config.ts";
import type { StopCriteria } from "../measure/timer.ts";
import type { Cells } from "../../records/rows/column.ts";
import type { SampledRow } from "../../records/rows/derive_rows.ts";
import type { SampleRecord } from "../../records/run_folder/sample_record.ts";

/** How far a run is. */
export interface Progress {
  /** Cases that are done. */
  readonly done: number;
  /** Cases in all. */
  readonly total: number;
  /** What was finished last. */
  readonly label: string;
}

/** What the caller of a suite decides and wants to be told. */
export interface SuiteRun<Row> {
  readonly runId: string;
  /** Leaves only the cases whose line in a dry run matches. */
  readonly filter: RegExp | undefined;
  /** Rows that are on disk already, by key: they are not measured again, and speed-ups may refer to them. */
  readonly finished: ReadonlyMap<string, SampledRow<Cells>>;
  /** Memory of the host that may be used, in bytes. */
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
  readonly onRow: (row: Row, series: SampleRecord["series"]) => void;
  readonly onProgress: (progress: Progress) => void;
}

/** The stop rule of a configuration. */
export function stopCriteria({ measure }: Config): StopCriteria {
  return {
    minTimeMs: measure.min_time_ms,
    minSamples: measure.min_samples,
    maxNoisePct: measure.max_noise_pct,
    timeoutS: measure.timeout_s,
  };
}
