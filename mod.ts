/**
 * A benchmark suite of sharded LLM kernels on Deno's WebGPU. Open a device, choose an operation,
 * run one of its variants, and compare every element with its float64 reference:
 *
 * ```ts
 * import { Device, KERNELS, operation, Workload } from "@shardbench/shardbench";
 *
 * await using device = await Device.open();
 * const product = operation(KERNELS.gemv, {
 *   tokens: 1,
 *   inner: 64,
 *   columns: 96,
 *   dtype: "int8",
 * });
 * for (const variant of product.variants) {
 *   using workload = new Workload(device, [product], { seed: 0 });
 *   workload.poison();
 *   device.run(workload.bind(() => variant));
 *   const { wrongElements } = await workload.check();
 *   if (wrongElements > 0) throw new Error(`${variant.name} is wrong`);
 * }
 * ```
 *
 * @module
 */
export { Device } from "./device/device.ts";
export { DeviceError } from "./device/device_error.ts";
export { KERNELS } from "./kernels/registry.ts";
export { operation } from "./kernels/operation.ts";
export { Workload } from "./bench/workload.ts";
export { Timer } from "./bench/measure.ts";
export { summarise } from "./bench/statistics.ts";
export type { Sample } from "./bench/measure.ts";
export type { Difference, Expected } from "./kernels/reference_run.ts";
export type { Summary } from "./bench/statistics.ts";
export type { Choose } from "./bench/workload.ts";
export type { AdapterIdentity, AdapterType } from "./device/adapter.ts";
export type { BufferOptions, DeviceBuffer } from "./device/buffer.ts";
export type { Uploadable } from "./device/device.ts";
export type { DeviceErrorKind } from "./device/device_error.ts";
export type { Dispatch, Pass } from "./device/dispatch.ts";
export type { ErrorWatch } from "./device/error_watch.ts";
export type { Ledger } from "./device/ledger.ts";
export type { PipelineCache } from "./device/pipeline_cache.ts";
export type { Binding, Program } from "./device/program.ts";
export type { PendingRead, ReadBack, ReadBackMode, ReadRange } from "./device/read_back.ts";
export type { Clock, TimestampBatch } from "./device/timestamps.ts";
export type {
  Cost,
  DType,
  Fill,
  HostArray,
  HostTensors,
  Kernel,
  Magnitude,
  Tensor,
  Variant,
} from "./kernels/kernel.ts";
export type { Operation, OperationVariant } from "./kernels/operation.ts";
