import { RankError } from "../../collectives/rank_error.ts";
import type { Config } from "../../config/config.ts";
import type { Device } from "../../device/device.ts";
import type { StopCriteria } from "../measure/stopping_rule.ts";
import { type CanaryFacts, canaryPct } from "../../records/rows/canary_pct.ts";
import type { Cells } from "../../records/rows/column.ts";
import type { SampledRow } from "../../records/rows/derive_rows.ts";
import { SCHEMA_VERSION } from "../../records/rows/row.ts";

/** How far a run is. */
export interface Progress {
  /** Cases that are done. */
  readonly done: number;
  /** Cases in all. */
  readonly total: number;
  /** What was finished last. */
  readonly label: string;
}

/** What {@linkcode Progress} calls the cases that a resumed run found on the disk. */
export const MEASURED_BEFORE = "measured before";

/** What the caller of a suite decides and wants to be told. */
export interface SuiteRun<Row extends Cells> {
  readonly runId: string;
  /** The run folder, for what is written beside the rows. */
  readonly folder: string;
  /** Leaves only the cases whose line in a dry run matches. */
  readonly filter: RegExp | undefined;
  /** Rows that are on disk already, by key: they are not measured again, and speed-ups may refer to them. */
  readonly finished: ReadonlyMap<string, SampledRow<Cells>>;
  /** Memory of the host that may be used, in bytes. */
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
  readonly onRow: (one: SampledRow<Row>) => void;
  readonly onProgress: (progress: Progress) => void;
}

/** On what and in which run rows were measured. */
export interface RowContext {
  readonly device: Device;
  readonly runId: string;
  /** How slow the machine is, and was at the start. */
  readonly canary: CanaryFacts;
}

/** The cells that rows of every suite have. */
export function commonCells({ device: { identity }, runId, canary }: RowContext) {
  return {
    schema_version: SCHEMA_VERSION,
    run_id: runId,
    adapter: identity.name,
    adapter_type: identity.type,
    physical_adapters: 1,
    canary_pct: canaryPct({ ...canary }),
  };
}

/**
 * Why something could not be measured, in a line, where the run can go on without it: an error of the
 * device, which is forgotten, or of a rank, whose device is its own.
 * @throws the error itself where the run's device is lost, or where it is a bug of ours.
 */
export function failureReason({ errors }: Device, error: unknown): string {
  if (error instanceof RankError) return error.message.split("\n")[0]!;
  return errors.recover(error);
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
