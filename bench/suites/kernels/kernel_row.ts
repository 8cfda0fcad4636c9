import type { SampledRow } from "../../../records/rows/derive_rows.ts";
import type { KernelKey, KernelRow } from "../../../records/rows/row.ts";
import { commonCells, type RowContext } from "../suite_run.ts";
import type { KernelResult } from "./measurement.ts";

/** What was measured of a row, and its samples. */
export function kernelRow(
  result: KernelResult,
  key: KernelKey,
  context: RowContext,
): SampledRow<KernelRow> {
  const { samples, cost } = result;
  const { device } = context;
  const row: KernelRow = {
    ...key,
    ...commonCells(context),
    status: result.status,
    reason: result.reason,
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
    readback: device.readBack.mode,
    first_dispatch_ms: result.firstDispatchMs,
    pipeline_ms: result.pipelineMs,
    chosen_variant: result.shaders?.join(" "),
  };
  const series = {
    gpu_us: samples.flatMap((s) => s.gpuUs === undefined ? [] : [s.gpuUs]),
    host_us: samples.map((s) => s.hostUs),
    submit_us: samples.map((s) => s.submitUs),
    round: result.rounds ?? [],
  };
  return { row, series, facts: { ...context.canary, ...result.ceilings } };
}
