import type { Device } from "../device/device.ts";
import { openWeights } from "../model/open_weights.ts";
import { wholeDecoder } from "../model/stage_program.ts";
import type { Decoder } from "./generation.ts";
import { Rank, type StepResult } from "./rank.ts";
import { RankExecutor } from "./rank_executor.ts";
import type { PoolResult } from "./rank_pool.ts";
import type { BatchResult, Executor } from "../schedules/engine_core.ts";
import type { Config } from "../config/config.ts";
import { LayoutRun } from "./layout_run.ts";
import { stepTimes } from "./step_times.ts";
import type { Tuner } from "../bench/measure/tuner.ts";
import { weightsOrigin } from "../config/weights_origin.ts";

/** What a decoder must have room for. */
export interface DecoderRoom {
  /** Sequences at once. */
  readonly slots: number;
  /** Positions of each. */
  readonly context: number;
  /** Most tokens of a batch. */
  readonly maxTokens: number;
}

interface OpenWith {
  readonly device: Device;
  readonly tuner: Tuner;
}

/**
 * Opens the model of a configuration in its layout: one rank on the given device, several in Workers
 * with devices of their own. One replica, since a single caller needs no more.
 * @throws {DeviceError} `OutOfMemory`, before anything is allocated, where it does not fit.
 * @throws {CheckpointError} where weights are read and do not fit the model.
 */
export async function openDecoder(
  config: Config,
  open: OpenWith,
  room: DecoderRoom,
): Promise<Decoder> {
  const { tensor_parallel_size, pipeline_parallel_size } = config.layout;
  return tensor_parallel_size * pipeline_parallel_size === 1
    ? await openOne(config, open, room)
    : await openMany(config, open, room);
}

async function openOne(
  config: Config,
  { device, tuner }: OpenWith,
  room: DecoderRoom,
): Promise<Decoder> {
  const { model, dtype } = config;
  const { bindingBytes } = device;
  using weights = openWeights(weightsOrigin(config), model);
  const rank = await Rank.open(device, {
    stage: wholeDecoder(model, { dtype, ...room, bindingBytes }),
    weights,
    choose: (operation) => tuner.best(operation),
    memoryBytes: deviceMemoryBytes(device),
  });
  const results: StepResult[] = [];
  return {
    maxTokens: room.maxTokens,
    executor: noting(new RankExecutor(rank), results),
    prepare: async (sizes) => {
      for (const size of sizes) await rank.prepare(size);
    },
    logits: (samples) => rank.logits(samples),
    times: () => Promise.resolve(results),
    [Symbol.asyncDispose]: () => Promise.resolve(rank[Symbol.dispose]()),
  };
}

async function openMany(
  config: Config,
  { device, tuner }: OpenWith,
  room: DecoderRoom,
): Promise<Decoder> {
  const { dtype, layout } = config;
  const { bindingBytes } = device;
  const run = await LayoutRun.open(config, {
    sizes: { ...layout, data_parallel_size: 1 },
    room: { dtype, ...room, bindingBytes },
    depth: 1,
    choose: (operation) => tuner.best(operation),
    memoryBytes: deviceMemoryBytes(device),
  });
  const [pool] = run.pools;
  const results: PoolResult[] = [];
  return {
    maxTokens: room.maxTokens,
    executor: noting(pool!.executor(1, { head: "all_gather", slicedSends: false }), results),
    prepare: (sizes) => pool!.prepare(sizes),
    logits: (samples) => pool!.logits(samples),
    times: async () => stepTimes((await run.traces())[0]!, results),
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}

/** An executor whose results are kept. */
function noting<Result extends BatchResult>(
  executor: Executor<Result>,
  results: Result[],
): Executor<Result> {
  return {
    depth: executor.depth,
    submit: async (batch) => {
      const result = await executor.submit(batch);
      if (batch.parts.length > 0) results.push(result);
      return result;
    },
  };
}

/** Memory that a device may take: the host's where it lives there, else unknown and so unlimited. */
export function deviceMemoryBytes({ identity: { type } }: Device): number {
  return type === "software" || type === "integrated"
    ? Deno.systemMemoryInfo().available
    : Infinity;
}
