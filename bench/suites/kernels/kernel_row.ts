import type { Device } from "../../../device/device.ts";
import { driftReason } from "../../measure/canary.ts";
import type { KernelCase } from "../../../model/kernel_ops.ts";
import type { KernelResult, Mode } from "./measurement.ts";
import type { SampledRow } from "../../../records/rows/derive_rows.ts";
import { type KernelKey, type KernelRow, SCHEMA_VERSION } from "../../../records/rows/row.ts";

/** The independent variables of a case, which all its rows have. */
export function caseKey(c: KernelCase) {
  return {
    op: c.op,
    dtype: c.dtype,
    tensor_parallel_size: c.tensorParallelSize,
    tensor_parallel_rank: c.tensorParallelRank,
    tokens: c.tokens,
    context: c.context,
  };
}

/** The independent variables of a row. */
export function kernelKey(
  c: KernelCase,
  how: { readonly variant: string; readonly mode: Mode },
  model: string,
): KernelKey {
  return { suite: "kernels", model, ...caseKey(c), ...how };
}

/** What was measured of a row, and its samples. */
export function kernelRow(
  result: KernelResult,
  key: KernelKey,
  about: { readonly device: Device; readonly runId: string; readonly canaryPct: number },
): SampledRow<KernelRow> {
  const { device, runId, canaryPct } = about;
  const { samples, cost } = result;
  const { identity } = device;
  const row: KernelRow = {
    ...key,
    schema_version: SCHEMA_VERSION,
    run_id: runId,
    status: result.status,
    reason: result.reason || driftReason(canaryPct),
    adapter: identity.name,
    adapter_type: identity.type,
    physical_adapters: 1,
    logical_ranks: 1,
    clock: samples.some((s) => s.gpuUs === undefined) ? "host" : device.clock,
    stop_reason: result.stopReason,
    samples: 0,
    wrong_elements: result.wrongElements,
    max_abs_error: result.maxAbsError,
    tolerance: result.tolerance,
    verified_iterations: 0,
    flops: cost.flops,
    bytes: cost.bytesRead + cost.bytesWritten,
    ceiling_pct: result.status === "ok" ? result.ceilingPct : undefined,
    readback: device.readBack.mode,
    canary_pct: canaryPct,
    first_dispatch_ms: result.firstDispatchMs,
    pipeline_ms: result.pipelineMs,
  };
  const series = {
    gpu_us: samples.flatMap((s) => s.gpuUs === undefined ? [] : [s.gpuUs]),
    host_us: samples.map((s) => s.hostUs),
    submit_us: samples.map((s) => s.submitUs),
  };
  return { row, series };
}
