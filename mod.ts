/**
 * A benchmark suite of sharded LLM kernels and collectives on Deno's WebGPU, with every result checked.
 *
 * **A run**: a configuration, some of its cases, a folder; rows come back and are on the disk. It ends
 * early when its signal is raised.
 *
 * ```ts
 * import { loadConfig, measureRun } from "@shardbench/shardbench";
 *
 * const config = await loadConfig("configs/quick.json", { set: ["measure.min_time_ms=1"] });
 * const { folder, kernels } = await measureRun({
 *   config,
 *   selection: { suites: ["kernels"], filter: /^embedding .* tp=1 tokens=1 / },
 *   folder: `${await Deno.makeTempDir()}/run`,
 *   onProgress: ({ suite, done, total, label }) => console.log(suite, done, total, label),
 *   signal: AbortSignal.timeout(60_000),
 * });
 * for (const { op, variant, time_us_median } of kernels) console.log(op, variant, time_us_median);
 * console.log(`all of it: ${folder}`);
 * ```
 *
 * **Two runs**, or several a side, row by row; folders or CSV files. `readFloor` gives how far rows move
 * between runs on their machine, where `selftest` has measured it.
 *
 * ```ts
 * import { compareRuns, loadRun, readFloor } from "@shardbench/shardbench";
 *
 * const baseline = loadRun("results/reference");
 * const floor = readFloor(baseline);
 * const { rows } = compareRuns(baseline, loadRun("results/reference/kernels.csv"), 3, { floor });
 * for (const { label, verdict, ratio } of rows) console.log(label, verdict, ratio);
 * if (rows.some((row) => row.is_regression)) throw new Error("it became slower");
 * ```
 *
 * **A kernel**: choose an operation, run each variant, compare every element with its float64 reference.
 *
 * ```ts
 * import { Device, KERNELS, operation, Workload } from "@shardbench/shardbench";
 *
 * await using device = await Device.open();
 * const product = operation(KERNELS.gemv, { tokens: 1, k: 64, columns: 96, dtype: "int8" });
 * for (const variant of product.variants) {
 *   using workload = new Workload(device, [product], { seed: 0 });
 *   workload.poison();
 *   device.run(workload.bind(() => variant));
 *   const { wrongElements } = await workload.check();
 *   if (wrongElements > 0) throw new Error(`${variant.name} is wrong`);
 * }
 * ```
 *
 * **A collective**: an algorithm is data; here all ranks step through it together, without a transport.
 *
 * ```ts
 * import { COLLECTIVES, runLockstep, traffic } from "@shardbench/shardbench";
 *
 * const { program } = COLLECTIVES.all_reduce.algorithms.ring!;
 * const shape = { ranks: 3, count: 6, inPlace: false };
 * const memories = Array.from({ length: 3 }, (_, rank) => ({
 *   input: new Float32Array(6).fill(rank + 1),
 *   output: new Float32Array(6),
 *   scratch: new Float32Array(6),
 * }));
 * runLockstep(program, shape, memories);
 * if (memories.some(({ output }) => output.some((sum) => sum !== 6))) throw new Error("wrong");
 * console.log(traffic(program, shape)); // 4 steps, 8 words out of each rank
 * ```
 *
 * **A decoder** in the layout of a configuration, generating tokens.
 *
 * ```ts
 * import { loadConfig, openLayout } from "@shardbench/shardbench";
 *
 * const set = ["model_overrides.hidden_size=256", "model_overrides.vocab_size=1024"];
 * const config = await loadConfig("configs/quick.json", { set, sizes: { tensorParallelSize: 2 } });
 * await using layout = await openLayout(config, { maxModelLen: 8 });
 * const generation = layout.generate({ promptTokenIds: [1, 2, 3], maxTokens: 2 });
 * for await (const tokenId of generation.tokens()) console.log(tokenId);
 * console.log(await generation.speed());
 * ```
 *
 * **Layouts and schedules** need no device. What does a rank hold, and how long do 16 micro-batches
 * take on two stages?
 *
 * ```ts
 * import { rankTable, Scheduler, splitLayers, VirtualExecutor } from "@shardbench/shardbench";
 *
 * const scheduler = new Scheduler({ maxNumBatchedTokens: 8, maxNumSeqs: 16 });
 * for (let id = 0; id < 16; id++) {
 *   scheduler.add({ id, promptTokenIds: new Array<number>(8).fill(1), maxTokens: 1 });
 * }
 * const stages = new VirtualExecutor(2, 3, { stageUs: () => 100 });
 * if (await stages.makespanUs(scheduler) !== (16 + 2 - 1) * 100) throw new Error("not a full queue");
 *
 * const sizes = { tensorParallelSize: 2, pipelineParallelSize: 2, dataParallelSize: 2 };
 * const model = { layers: 32, heads: 32, kvHeads: 8, ffn: 14336, vocab: 32000 };
 * console.log(splitLayers(model.layers, 5)); // 6, 6, 7, 7 and 6 of them
 * if (rankTable(model, { ...sizes, order: "vllm" })[3]!.tensorParallelRank !== 1) throw new Error();
 * ```
 *
 * @module
 */
export { loadConfig, resolveConfig } from "./config/config.ts";
export { ConfigError } from "./config/config_error.ts";
export { caseLines, measureRun } from "./bench/suites/measure_run.ts";
export { openLayout } from "./bench/measure/open_layout.ts";
export { SUITES } from "./records/rows/suite.ts";
export { loadRun } from "./records/run_folder/load_run.ts";
export { CheckpointError } from "./model/safetensors.ts";
export { RankError } from "./collectives/rank_error.ts";
export { FileError } from "./records/files/file_error.ts";
export { loadRuns } from "./records/run_folder/load_runs.ts";
export { compareRuns } from "./report/compare_runs.ts";
export { compareBy } from "./report/compare_by.ts";
export { readFloor } from "./report/floor_file.ts";
export { ComparisonError } from "./report/run_differences.ts";
export { writeDashboard } from "./report/dashboard.ts";
export { Device } from "./device/device.ts";
export { DeviceError } from "./device/device_error.ts";
export { ACTIVATIONS } from "./kernels/activate.ts";
export { DTYPES } from "./kernels/kernel.ts";
export { KERNELS } from "./kernels/registry.ts";
export { operation } from "./kernels/operation.ts";
export { Workload } from "./bench/measure/workload.ts";
export { Timer } from "./bench/measure/timer.ts";
export { summarise } from "./statistics/summary.ts";
export { COLLECTIVES } from "./collectives/registry.ts";
export { runLockstep } from "./collectives/lockstep.ts";
export { traffic } from "./collectives/step_program.ts";
export { ORDERS, splitLayers } from "./parallel/layout.ts";
export { rankTable } from "./parallel/rank_table.ts";
export { ARCHITECTURES, parseModelShape } from "./model/shape.ts";
export { wholeDecoder } from "./model/stage_program.ts";
export { stageMemory } from "./model/stage_memory.ts";
export { SCHEDULES } from "./schedules/registry.ts";
export { EngineCore } from "./schedules/engine_core.ts";
export { Router, ROUTER_POLICIES } from "./schedules/router.ts";
export { Scheduler } from "./schedules/scheduler.ts";
export { VirtualExecutor } from "./planner/virtual_executor.ts";
export type { Config, ConfigOptions, SizeOptions } from "./config/config.ts";
export type { ConfigProblem } from "./config/config_error.ts";
export type { ConfigDocument, LayoutSizes } from "./config/config_schema.ts";
export type { TraceLine } from "./config/trace.ts";
export type {
  MeasuredRun,
  RunProgress,
  RunRequest,
  Selection,
} from "./bench/suites/measure_run.ts";
export type { Progress } from "./bench/suites/suite_run.ts";
export type { OpenLayout, OpenLayoutOptions } from "./bench/measure/open_layout.ts";
export type { Sample } from "./bench/measure/timer.ts";
export type { LoadedRun, LoadedSuite, TextRow } from "./records/run_folder/load_run.ts";
export type { Manifest } from "./records/run_folder/manifest.ts";
export type { SampleRecord } from "./records/run_folder/sample_record.ts";
export type { CollectiveRow, KernelRow, ScheduleRow } from "./records/rows/row.ts";
export type { Suite } from "./records/rows/suite.ts";
export type { SuiteRows } from "./records/rows/suite_rows.ts";
export type { CompareOptions } from "./report/compare_runs.ts";
export type { CompareByOptions } from "./report/compare_by.ts";
export type { Comparison, OneSidedRow } from "./report/comparison.ts";
export type { ScatterSource } from "./report/evidence.ts";
export type { Floor, NoiseFloor } from "./report/noise_floor.ts";
export type { Difference as RunDifference } from "./report/run_differences.ts";
export type { ComparedRow, Verdict } from "./report/judge_row.ts";
export type { AdapterIdentity, AdapterType } from "./device/adapter.ts";
export type { BufferOptions, DeviceBuffer } from "./device/buffer.ts";
export type { Uploadable } from "./device/device.ts";
export type { RankFault } from "./collectives/rank_error.ts";
export type { DeviceErrorKind } from "./device/device_error.ts";
export type { Dispatch, Pass } from "./device/dispatch.ts";
export type { Binding, Program, WgslPart } from "./device/program.ts";
export type { Clock } from "./device/timestamps.ts";
export type { ActivationShape } from "./kernels/activation.ts";
export type { AddShape } from "./kernels/add.ts";
export type { ArgmaxShape } from "./kernels/argmax.ts";
export type { AttentionShape } from "./kernels/attention.ts";
export type { EmbeddingShape } from "./kernels/embedding.ts";
export type { CacheShape, KvAppendShape } from "./kernels/kv_append.ts";
export type { MatmulShape } from "./kernels/matmul.ts";
export type { RmsNormShape } from "./kernels/rms_norm.ts";
export type { RopeScaling, RopeShape } from "./kernels/rope.ts";
export type { SoftmaxShape } from "./kernels/softmax.ts";
export type { ActivationName } from "./kernels/activate.ts";
export type { Field, Fields } from "./kernels/check_shape.ts";
export type {
  Cost,
  DType,
  EdgeCase,
  ErrorBound,
  Fill,
  HostArray,
  HostTensors,
  Kernel,
  Magnitude,
  Tensor,
  Variant,
  WeightDType,
} from "./kernels/kernel.ts";
export type { Operation, OperationVariant } from "./kernels/operation.ts";
export type { Checked } from "./bench/measure/judge.ts";
export type { Difference, Expected } from "./kernels/reference_run.ts";
export type { Algorithm, Collective } from "./collectives/collective.ts";
export type { AlgorithmName, CollectiveName } from "./collectives/registry.ts";
export type { RankMemory } from "./collectives/lockstep.ts";
export type {
  Elements,
  Memory,
  Move,
  MoveKind,
  Place,
  ProgramShape,
  Step,
  StepProgram,
  Traffic,
} from "./collectives/step_program.ts";
export type { LayerRange, Layout, RankCoordinate, RankGroups } from "./parallel/layout.ts";
export type { RankEntry } from "./parallel/rank_table.ts";
export type { CutSizes, HeadShard, TensorParallelRank, VocabShard } from "./parallel/shard.ts";
export type { ModelShape } from "./model/shape.ts";
export type { BatchSize, Stage } from "./model/stage_program.ts";
export type { StageMemory } from "./model/stage_memory.ts";
export type {
  Decoder,
  DecoderTimes,
  Generation,
  GenerationRequest,
  GenerationSpeed,
} from "./runtime/generation.ts";
export type { BatchResult, Executor, StepOutput } from "./schedules/engine_core.ts";
export type { Engine, Schedule } from "./schedules/schedule.ts";
export type { ReplicaLoad, RouterPolicy } from "./schedules/router.ts";
export type {
  NewToken,
  Request,
  ScheduledTokens,
  SchedulerLimits,
  SchedulerOutput,
} from "./schedules/scheduler.ts";
export type { VirtualResult, VirtualTimes } from "./planner/virtual_executor.ts";
export type { Summary } from "./statistics/summary.ts";
