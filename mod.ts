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
 *   k: 64,
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
 * Layouts and schedules need no device. How long do 16 micro-batches take on two stages?
 *
 * ```ts
 * import { rankTable, Scheduler, VirtualExecutor } from "@shardbench/shardbench";
 *
 * const scheduler = new Scheduler({ maxNumBatchedTokens: 8, maxNumSeqs: 16 });
 * for (let id = 0; id < 16; id++) {
 *   scheduler.add({ id, promptTokenIds: new Array<number>(8).fill(1), maxTokens: 1 });
 * }
 * const stages = new VirtualExecutor(2, 3, { stageUs: () => 100 });
 * if (await stages.makespanUs(scheduler) !== (16 + 2 - 1) * 100) throw new Error("not a full queue");
 *
 * const model = { layers: 32, heads: 32, kvHeads: 8, ffn: 14336, vocab: 32000 };
 * const layout = {
 *   tensorParallelSize: 2,
 *   pipelineParallelSize: 2,
 *   dataParallelSize: 2,
 *   order: "vllm",
 * } as const;
 * if (rankTable(model, layout)[3]!.tensorParallelRank !== 1) throw new Error("not the right half");
 * ```
 *
 * @module
 */
export { Device } from "./device/device.ts";
export { DeviceError } from "./device/device_error.ts";
export { KERNELS } from "./kernels/registry.ts";
export { operation } from "./kernels/operation.ts";
export { Workload } from "./bench/measure/workload.ts";
export { Timer } from "./bench/measure/timer.ts";
export { summarise } from "./statistics/summary.ts";
export { rankTable } from "./parallel/rank_table.ts";
export { EngineCore } from "./schedules/engine_core.ts";
export { Router } from "./schedules/router.ts";
export { Scheduler } from "./schedules/scheduler.ts";
export { VirtualExecutor } from "./planner/virtual_executor.ts";
export type { VirtualResult, VirtualTimes } from "./planner/virtual_executor.ts";
export type { LayerRange, Layout, RankCoordinate, RankGroups } from "./parallel/layout.ts";
export type { RankEntry } from "./parallel/rank_table.ts";
export type { CutSizes, HeadShard, VocabShard } from "./parallel/shard.ts";
export type { BatchResult, Executor, StepOutput } from "./schedules/engine_core.ts";
export type { ReplicaLoad, RouterPolicy } from "./schedules/router.ts";
export type {
  NewToken,
  Request,
  ScheduledTokens,
  SchedulerLimits,
  SchedulerOutput,
} from "./schedules/scheduler.ts";
export type { Sample } from "./bench/measure/timer.ts";
export type { Difference, Expected } from "./kernels/reference_run.ts";
export type { Summary } from "./statistics/summary.ts";
export type { Choose } from "./bench/measure/workload.ts";
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
