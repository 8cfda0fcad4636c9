import type { Device } from "../../../device/device.ts";
import { driftReason } from "../../measure/canary.ts";
import type { KernelCase } from "../../../model/kernel_ops.ts";
import { timeUs } from "../../measure/timer.ts";
import type { KernelResult, Mode } from "./measurement.ts";
import {
  type KernelKey,
  type KernelRow,
  rowKey,
  SCHEMA_VERSION,
} from "../../../records/rows/row.ts";
import { summarise } from "../../../statistics/summary.ts";
import { timeColumns } from "../../../records/rows/time_columns.ts";
import { median } from "../../../statistics/summary.ts";

/** The independent variables of a row. */
export function kernelKey(
  c: KernelCase,
  how: { readonly variant: string; readonly mode: Mode },
  model: string,
): KernelKey {
  return {
    suite: "kernels",
    model,
    dtype: c.dtype,
    op: c.op,
    variant: how.variant,
    mode: how.mode,
    tensor_parallel_size: c.tensorParallelSize,
    tensor_parallel_rank: c.tensorParallelRank,
    tokens: c.tokens,
    context: c.context,
  };
}

/** A result as a row; `naive` is the same case and mode by the naive variant, as far as it ran. */
export function kernelRow(
  result: KernelResult,
  key: KernelKey,
  about: {
    readonly device: Device;
    readonly runId: string;
    readonly canaryPct: number;
    readonly naive: KernelResult | undefined;
  },
): KernelRow {
  const { device, runId, canaryPct, naive } = about;
  const { samples, cost } = result;
  const { identity } = device;
  const clock = samples.some((s) => s.gpuUs === undefined) ? "host" : device.clock;
  const base: KernelRow = {
    ...key,
    schema_version: SCHEMA_VERSION,
    run_id: runId,
    row_key: rowKey(key),
    status: result.status,
    reason: result.reason || driftReason(canaryPct),
    adapter: identity.name,
    adapter_type: identity.type,
    physical_adapters: 1,
    logical_ranks: 1,
    clock,
    stop_reason: result.stopReason,
    samples: samples.length,
    wrong_elements: result.wrongElements,
    max_abs_error: result.maxAbsError,
    tolerance: result.tolerance,
    verified_iterations: result.verifiedIterations,
    flops: cost.flops,
    bytes: cost.bytesRead + cost.bytesWritten,
    readback: device.readBack.mode,
    canary_pct: canaryPct,
    first_dispatch_ms: result.firstDispatchMs,
    pipeline_ms: result.pipelineMs,
  };
  if (samples.length === 0) return base;
  const time = summarise(times(result));
  const gpu = samples.flatMap((s) => s.gpuUs === undefined ? [] : [s.gpuUs]);
  const isRanked = result.status === "ok";
  return {
    ...base,
    ...timeColumns(times(result)),
    time_us_mean: time.mean,
    time_us_p90: time.p90,
    time_us_p99: time.p99,
    time_us_stdev: time.stdev,
    gpu_us_median: gpu.length > 0 ? median(gpu) : undefined,
    rate_gflops: isRanked ? cost.flops / time.median / 1e3 : undefined,
    rate_gbytes_per_s: isRanked
      ? (cost.bytesRead + cost.bytesWritten) / time.median / 1e3
      : undefined,
    ceiling_pct: isRanked ? result.ceilingPct : undefined,
    speedup_vs_naive: isRanked && naive ? median(times(naive)) / time.median : undefined,
    host_us_median: median(samples.map((s) => s.hostUs)),
    submit_us_median: median(samples.map((s) => s.submitUs)),
  };
}

function times(result: KernelResult): readonly number[] {
  return result.samples.map(timeUs);
}
