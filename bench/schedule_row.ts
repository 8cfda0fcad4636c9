import type { Device } from "../device/device.ts";
import type { StepResult } from "../runtime/rank.ts";
import { driftReason } from "./canary.ts";
import type { Config } from "./config.ts";
import type { StopReason } from "./measure.ts";
import { rowKey, type ScheduleKey, type ScheduleRow, SCHEMA_VERSION } from "./row.ts";
import type { ScheduleCase } from "./run_schedules.ts";
import type { Served } from "./serve.ts";
import { median, timeColumns } from "./time_columns.ts";

/** What measuring a case gave; numbers are absent where it did not run. */
export interface ScheduleResult {
  readonly status: "ok" | "wrong" | "failed" | "skipped";
  readonly reason: string;
  readonly stopReason?: StopReason;
  readonly steps: readonly StepResult[];
  /** One a repetition. */
  readonly served: readonly Served[];
  readonly mismatches?: number;
  readonly weightBytes?: number;
  readonly kvCacheBytes?: number;
  /** Least time of one repetition's steps at the measured ceilings. */
  readonly idealUs?: number;
}

/** The independent variables of a row. */
export function scheduleKey(case_: ScheduleCase, config: Config): ScheduleKey {
  const { requests, max_num_batched_tokens, max_num_seqs } = config.schedules!;
  return {
    suite: "schedules",
    model: config.model.name,
    dtype: config.dtype,
    schedule: case_.schedule,
    ...case_.layout,
    max_concurrent_batches: case_.depth,
    requests: requests.count,
    prompt_tokens: requests.prompt_tokens,
    output_tokens: requests.output_tokens,
    max_num_batched_tokens,
    max_num_seqs,
  };
}

/** A result on one rank as a row. */
export function scheduleRow(
  result: ScheduleResult,
  key: ScheduleKey,
  about: { readonly device: Device; readonly runId: string; readonly canaryPct: number },
): ScheduleRow {
  const { device, runId, canaryPct } = about;
  const { steps, served } = result;
  const base: ScheduleRow = {
    ...key,
    schema_version: SCHEMA_VERSION,
    run_id: runId,
    row_key: rowKey(key),
    status: result.status,
    reason: result.reason || driftReason(canaryPct),
    adapter: device.identity.name,
    adapter_type: device.identity.type,
    physical_adapters: 1,
    logical_ranks: Number(key.tensor_parallel_size) * Number(key.pipeline_parallel_size) *
      Number(key.data_parallel_size),
    clock: "host",
    samples: steps.length,
    canary_pct: canaryPct,
  } as ScheduleRow;
  if (steps.length === 0) return base;
  const hostUs = steps.map((step) => step.hostUs);
  const gpu = steps.flatMap((step) => step.gpuUs === undefined ? [] : [step.gpuUs]);
  const busyUs = sum(steps.map((step) => step.gpuUs ?? step.waitUs));
  const wallMs = median(served.map((one) => one.wallMs));
  const busyPct = Math.min(100, busyUs / 10 / sum(served.map((one) => one.wallMs)));
  const tpot = served.flatMap((one) => one.tpotMs);
  const isRanked = result.status === "ok";
  return {
    ...base,
    stop_reason: result.stopReason,
    ...timeColumns(hostUs),
    wrong_elements: result.mismatches,
    max_abs_error: undefined,
    tolerance: 0,
    verified_iterations: steps.length,
    wall_ms: wallMs,
    output_tokens_per_s: isRanked
      ? Number(key.requests) * Number(key.output_tokens) / wallMs * 1000
      : undefined,
    ttft_ms_median: median(served.flatMap((one) => one.ttftMs)),
    tpot_ms_median: tpot.length > 0 ? median(tpot) : undefined,
    speedup_vs_step: isRanked && key.schedule === "step" ? 1 : undefined,
    max_in_flight: Math.max(...served.map((one) => one.maxInFlight)),
    busy_pct: busyPct,
    fill_drain_pct: 0,
    imbalance_pct: 0,
    transfer_pct: 0,
    host_gap_pct: 100 - busyPct,
    bubble_pct: 100 - busyPct,
    bubble_predicted_pct: 0,
    all_reduces: 0,
    all_gathers: 0,
    sends: 0,
    collective_bytes: 0,
    token_mismatches: result.mismatches,
    oversubscribed: false,
    repetitions: served.length,
    gpu_us_median: gpu.length > 0 ? median(gpu) : undefined,
    host_us_median: median(hostUs),
    submit_us_median: median(steps.map((step) => step.submitUs)),
    readback_us_median: gpu.length > 0
      ? median(steps.map((step) => Math.max(0, step.waitUs - step.gpuUs!)))
      : undefined,
    ceiling_pct: isRanked ? 100 * result.idealUs! * served.length / busyUs : undefined,
    weight_bytes: result.weightBytes,
    kv_cache_bytes: result.kvCacheBytes,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
