import { Device } from "../device/device.ts";
import { DummyWeights } from "../model/dummy_weights.ts";
import { type ModelShape, parseModelShape } from "../model/shape.ts";
import { wholeDecoder } from "../model/stage_program.ts";
import { stageMemory } from "../model/stage_memory.ts";
import { DTYPES, type WeightDType } from "../kernels/kernel.ts";
import { Rank } from "../runtime/rank.ts";
import { Timer } from "./measure/timer.ts";
import { Tuner } from "./measure/tuner.ts";
import { TuningStore } from "./measure/tuning_store.ts";

/** A decoder of 160 million parameters. */
const MODEL: ModelShape = parseModelShape({
  architectures: ["LlamaForCausalLM"],
  hidden_size: 1024,
  num_hidden_layers: 8,
  intermediate_size: 2816,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  vocab_size: 32000,
}, { name: "160m", path: "decoder_bench.ts" });

const CACHE_CONFIG = { maxNumSeqs: 1, maxModelLen: 256, maxNumBatchedTokens: 128 };

let opened: Promise<{ readonly device: Device; readonly tuner: Tuner }> | undefined;
const ranks = new Map<WeightDType, Rank>();

function open() {
  return opened ??= Device.open().then(async (device) => {
    const timer = await new Timer(device).ready();
    return {
      device,
      tuner: new Tuner(device, timer, TuningStore.open(device.identity)),
    };
  });
}

async function load(dtype: WeightDType, model = MODEL): Promise<Rank> {
  const { device, tuner } = await open();
  const { maxStorageBufferBindingSize } = device;
  return await Rank.open(device, {
    stage: wholeDecoder(model, { ...CACHE_CONFIG, dtype, maxStorageBufferBindingSize }),
    weights: new DummyWeights(0, model),
    choose: (operation) => tuner.best(operation),
    memoryBytes: Infinity,
  });
}

async function rankOf(dtype: WeightDType): Promise<Rank> {
  const rank = ranks.get(dtype) ?? await load(dtype);
  ranks.set(dtype, rank);
  return rank;
}

const GROUPS = [
  { group: "decode one token, 160 M parameters", tokens: 1, start: 128, n: 20 },
  { group: "prefill 128 tokens, 160 M parameters", tokens: 128, start: 0, n: 3 },
] as const;

for (const { group, tokens, start, n } of GROUPS) {
  for (const dtype of DTYPES) {
    const batch = {
      tokenIds: Array.from({ length: tokens }, (_, i) => i * 97 % MODEL.vocab),
      positions: Array.from({ length: tokens }, (_, i) => start + i),
      slots: new Array<number>(tokens).fill(0),
      logitsIndices: [tokens - 1],
    };
    // The first, untimed iteration tunes and compiles.
    const options = { group, baseline: dtype === "float32", n, warmup: 1 };
    Deno.bench(`${group}, ${dtype}`, options, async (b) => {
      const rank = await rankOf(dtype);
      b.start();
      await rank.step(batch);
      b.end();
    });
  }
}

const GIGABYTE: ModelShape = { ...MODEL, name: "1gb", layers: 18 };
const { weightBytes } = stageMemory(
  wholeDecoder(GIGABYTE, {
    ...CACHE_CONFIG,
    dtype: "float32",
    maxStorageBufferBindingSize: 2 ** 27,
  }),
);

Deno.bench(
  `generate and upload ${(weightBytes / 1e9).toFixed(2)} GB of float32 weights`,
  { group: "load", n: 2, warmup: 0 },
  async () => {
    const rank = await load("float32", GIGABYTE);
    rank[Symbol.dispose]();
  },
);
