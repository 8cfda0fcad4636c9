import type { Device } from "../device/device.ts";
import { openWeights } from "../model/open_weights.ts";
import { type CacheConfig, wholeDecoder } from "../model/stage_program.ts";
import type { Layout } from "../parallel/layout.ts";
import type { BatchResult, Executor } from "../schedules/engine_core.ts";
import type { SchedulerOutput } from "../schedules/scheduler.ts";
import type { Decoder } from "./generation.ts";
import { type DecoderSource, deviceMemoryBytes, LayoutRun } from "./layout_run.ts";
import { Rank, type StepResult } from "./rank.ts";
import type { PoolResult } from "./rank_pool.ts";
import type { SelectVariant } from "./segments.ts";
import { tokenBatch } from "./token_batch.ts";
import { stepTimes } from "./replica_trace.ts";

/** Where a decoder runs and what it must have room for. */
export interface DecoderOptions {
  readonly device: Device;
  readonly choose: SelectVariant;
  readonly layout: Layout;
  /** Layers of each stage; split evenly where absent. */
  readonly layers?: readonly number[] | undefined;
  readonly cacheConfig: Omit<CacheConfig, "maxStorageBufferBindingSize">;
  /** Ends every wait for a rank at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a model in a layout: one rank on the given device, several in Workers with devices of their
 * own. One replica, since a single caller needs no more.
 * @throws {DeviceError} `OutOfMemory`, before anything is allocated, where it does not fit.
 * @throws {CheckpointError} where weights are read and do not fit the model.
 */
export async function openDecoder(
  source: DecoderSource,
  options: DecoderOptions,
): Promise<Decoder> {
  const { tensorParallelSize, pipelineParallelSize } = options.layout;
  return tensorParallelSize * pipelineParallelSize === 1
    ? await openOne(source, options)
    : await openMany(source, options);
}

async function openOne(
  { model, weights: origin }: DecoderSource,
  { device, choose, cacheConfig }: DecoderOptions,
): Promise<Decoder> {
  const { maxStorageBufferBindingSize } = device;
  using weights = openWeights(origin, model);
  const rank = await Rank.open(device, {
    stage: wholeDecoder(model, { ...cacheConfig, maxStorageBufferBindingSize }),
    weights,
    choose,
    memoryBytes: deviceMemoryBytes(device),
  });
  const results: StepResult[] = [];
  return {
    maxTokens: cacheConfig.maxNumBatchedTokens,
    executor: noting(new RankExecutor(rank), results),
    prepare: async (sizes) => {
      for (const size of sizes) await rank.prepare(size);
    },
    logits: (rows) => rank.logits(rows),
    times: () => Promise.resolve(results.splice(0)),
    [Symbol.asyncDispose]: () => Promise.resolve(rank[Symbol.dispose]()),
  };
}

async function openMany(
  source: DecoderSource,
  { device, choose, layout, layers, cacheConfig, signal }: DecoderOptions,
): Promise<Decoder> {
  const { maxStorageBufferBindingSize } = device;
  const run = await LayoutRun.open(source, {
    layout: { ...layout, dataParallelSize: 1 },
    layers,
    cacheConfig: { ...cacheConfig, maxStorageBufferBindingSize },
    maxConcurrentBatches: 1,
    choose,
    memoryBytes: deviceMemoryBytes(device),
    signal,
  });
  const [pool] = run.pools;
  const results: PoolResult[] = [];
  return {
    maxTokens: cacheConfig.maxNumBatchedTokens,
    executor: noting(pool!.executor(1, { head: "all_gather", slicedSends: false }), results),
    prepare: (sizes) => pool!.prepare(sizes),
    logits: (rows) => pool!.logits(rows),
    times: async () => stepTimes((await run.traces())[0]!, results.splice(0)),
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}

/** Runs batches one at a time on the only rank, which stays the caller's. */
export class RankExecutor implements Executor<StepResult> {
  readonly maxConcurrentBatches = 1;
  readonly #rank: Rank;

  constructor(rank: Rank) {
    this.#rank = rank;
  }

  /** Runs a batch; an empty one takes no time. */
  async submit(batch: SchedulerOutput): Promise<StepResult> {
    const nothing = { tokenIds: [], gpuUs: 0, hostUs: 0, submitUs: 0, waitUs: 0, spans: [] };
    return batch.scheduled.length === 0 ? nothing : await this.#rank.step(tokenBatch(batch));
  }
}

/** An executor whose results are kept. */
function noting<Result extends BatchResult>(
  executor: Executor<Result>,
  results: Result[],
): Executor<Result> {
  return {
    maxConcurrentBatches: executor.maxConcurrentBatches,
    submit: async (batch) => {
      const result = await executor.submit(batch);
      if (batch.scheduled.length > 0) results.push(result);
      return result;
    },
  };
}
