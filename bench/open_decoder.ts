import { dirname } from "node:path";
import type { Device } from "../device/device.ts";
import { DummyWeights } from "../model/dummy_weights.ts";
import { SafetensorsWeights } from "../model/safetensors_weights.ts";
import { wholeDecoder } from "../model/stage_program.ts";
import type { WeightSource } from "../model/weight_source.ts";
import { Rank } from "../runtime/rank.ts";
import type { Config } from "./config.ts";
import type { Tuner } from "./tuner.ts";

/** What a decoder must have room for. */
export interface DecoderRoom {
  /** Sequences at once. */
  readonly slots: number;
  /** Positions of each. */
  readonly context: number;
  /** Most tokens of a batch. */
  readonly maxTokens: number;
}

/**
 * Opens the model of a configuration on a device; variants are tuned as batches ask for them.
 * @throws {DeviceError} `OutOfMemory`, before anything is allocated, where it does not fit.
 * @throws {CheckpointError} where weights are read and do not fit the model.
 */
export async function openDecoder(
  config: Config,
  { device, tuner }: { readonly device: Device; readonly tuner: Tuner },
  room: DecoderRoom,
): Promise<Rank> {
  const { model, dtype } = config;
  const { bindingBytes } = device;
  using weights = weightSource(config);
  return await Rank.open(device, {
    stage: wholeDecoder(model, { dtype, ...room, bindingBytes }),
    weights,
    choose: (operation) => tuner.best(operation),
    memoryBytes: deviceMemoryBytes(device),
  });
}

/** The weights that a configuration names. */
export function weightSource(config: Config): WeightSource {
  if (config.load_format === "dummy") return new DummyWeights(config.seed, config.model);
  return SafetensorsWeights.open(dirname(config.modelPath), config.model);
}

/** Memory that a device may take: the host's where it lives there, else unknown and so unlimited. */
export function deviceMemoryBytes({ identity: { type } }: Device): number {
  return type === "software" || type === "integrated"
    ? Deno.systemMemoryInfo().available
    : Infinity;
}
