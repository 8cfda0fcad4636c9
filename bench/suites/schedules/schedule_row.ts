import type { Device } from "../../../device/device.ts";
import { driftReason } from "../../measure/canary.ts";
import type { MeasuredCase } from "./measure_layout.ts";
import {
  rowKey,
  type ScheduleKey,
  type ScheduleRow,
  SCHEMA_VERSION,
} from "../../../records/rows/row.ts";
import { timeColumns } from "../../../records/rows/time_columns.ts";
import { median } from "../../../statistics/summary.ts";

/** What every row of a layout says. */
export interface RowContext {
  readonly device: Device;
  readonly runId: string;
  readonly canaryPct: number;
  /** More ranks than cores, on a software adapter, or than adapters. */
  readonly oversubscribed: boolean;
}

/** What rows say besides what was measured of their case. */
export interface LayoutNumbers {
  readonly weightBytes: number;
  readonly kvCacheBytes: number;
  /** Median wall time of schedule step on the same layout, with the same options. */
  readonly stepWallMs: number | undefined;
  /** Generated tokens of a repetition. */
  readonly outputTokens: number;
  /** Least time of one repetition's steps at the measured ceilings; one rank only. */
  readonly idealUs: number | undefined;
}

/** The row of a case that was not measured. */
export function unmeasuredRow(
  key: ScheduleKey,
  { status, reason }: { readonly status: "failed" | "skipped"; readonly reason: string },
  context: RowContext,
): ScheduleRow {
  return { ...baseRow(key, context), status, reason, samples: 0 };
}

/** The row of a case. */
export function scheduleRow(
  measured: MeasuredCase,
  key: ScheduleKey,
  { layout, context }: { readonly layout: LayoutNumbers; readonly context: RowContext },
): ScheduleRow {
  const { steps, served, spent, counts, mismatches } = measured;
  const isRight = mismatches === 0;
  const hostUs = steps.map((step) => step.hostUs);
  const gpu = steps.flatMap(({ gpuUs }) => gpuUs === undefined ? [] : [gpuUs]);
  const wallMs = median(served.map((one) => one.wallMs));
  const tpot = served.flatMap((one) => one.tpotMs);
  const perS = (ms: number | undefined) =>
    isRight && ms !== undefined ? layout.outputTokens / ms * 1000 : undefined;
  const total = spent.busy + spent.fillDrain + spent.imbalance + spent.transfer + spent.hostGap;
  const pct = (ms: number) => 100 * ms / total;
  const { stepWallMs, idealUs } = layout;
  return {
    ...baseRow(key, context),
    status: isRight ? "ok" : "wrong",
    reason: isRight
      ? driftReason(context.canaryPct)
      : `${mismatches} tokens differ from those of each request alone on one rank`,
    samples: steps.length,
    stop_reason: measured.stopReason,
    ...timeColumns(hostUs),
    wrong_elements: mismatches,
    max_abs_error: undefined,
    tolerance: 0,
    verified_iterations: steps.length,
    wall_ms: wallMs,
    output_tokens_per_s: perS(wallMs),
    ttft_ms_median: median(served.flatMap((one) => one.ttftMs)),
    tpot_ms_median: tpot.length > 0 ? median(tpot) : undefined,
    speedup_vs_step: isRight && stepWallMs !== undefined ? stepWallMs / wallMs : undefined,
    max_in_flight: measured.maxInFlight,
    busy_pct: pct(spent.busy),
    fill_drain_pct: pct(spent.fillDrain),
    imbalance_pct: pct(spent.imbalance),
    transfer_pct: pct(spent.transfer),
    host_gap_pct: pct(spent.hostGap),
    bubble_pct: pct(spent.idle),
    bubble_predicted_pct: measured.idealBubble === undefined
      ? undefined
      : 100 * measured.idealBubble,
    all_reduces: counts.allReduces,
    all_gathers: counts.allGathers,
    sends: counts.sends,
    collective_bytes: counts.sentBytes,
    token_mismatches: mismatches,
    repetitions: served.length,
    gpu_us_median: gpu.length > 0 ? median(gpu) : undefined,
    host_us_median: median(hostUs),
    submit_us_median: median(steps.map((step) => step.submitUs)),
    readback_us_median: gpu.length > 0
      ? median(steps.map((step) => Math.max(0, step.waitUs - step.gpuUs!)))
      : undefined,
    ceiling_pct: isRight && idealUs !== undefined
      ? 100 * idealUs * served.length / (1000 * spent.busy)
      : undefined,
    weight_bytes: layout.weightBytes,
    kv_cache_bytes: layout.kvCacheBytes,
    simulated_output_tokens_per_s: perS(measured.simulatedMs),
    pipeline_law_tokens_per_s: perS(measured.steadyStateBoundMs),
    engine_us_median: measured.engineUs.length > 0 ? median(measured.engineUs) : undefined,
  };
}

function baseRow(key: ScheduleKey, context: RowContext): ScheduleRow {
  const { device, runId, canaryPct, oversubscribed } = context;
  return {
    ...key,
    schema_version: SCHEMA_VERSION,
    run_id: runId,
    row_key: rowKey(key),
    adapter: device.identity.name,
    adapter_type: device.identity.type,
    physical_adapters: 1,
    logical_ranks: Number(key.tensor_parallel_size) * Number(key.pipeline_parallel_size) *
      Number(key.data_parallel_size),
    clock: "host",
    canary_pct: canaryPct,
    oversubscribed,
  } as ScheduleRow;
}
