import { assert, assertEquals } from "@std/assert";
import { DTYPES } from "../../kernels/kernel.ts";
import { ReferenceDecoder } from "../../model/reference_decoder.ts";
import type { Stage } from "../../model/stage_program.ts";
import type { WeightSource } from "../../model/weight_source.ts";
import { Rank } from "../../runtime/rank.ts";
import type { TokenBatch } from "../../runtime/token_batch.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";
import { dummy, tinyModel, tinyStage } from "./tiny.ts";
import { lastVariant } from "./last_variant.ts";

async function openRank(stage: Stage, weights: WeightSource): Promise<Rank> {
  const device = await sharedDevice();
  return await Rank.open(device, { stage, weights, choose: lastVariant, memoryBytes: Infinity });
}

function prompt(length: number, { seed, vocab }: { seed: number; vocab: number }): number[] {
  return Array.from({ length }, (_, i) => (i * 7919 + seed * 104729 + 13) % vocab);
}

function chunk(
  tokenIds: readonly number[],
  at: { slot: number; start: number; sample: boolean },
): TokenBatch {
  return {
    tokenIds,
    positions: tokenIds.map((_, i) => at.start + i),
    slots: tokenIds.map(() => at.slot),
    logitsIndices: at.sample ? [tokenIds.length - 1] : [],
  };
}

/** Greedy tokens after a prompt, decoded one by one in a slot. */
async function generate(rank: Rank, tokenIds: readonly number[], count: number, slot = 0) {
  const out: number[] = [];
  let next = chunk(tokenIds, { slot, start: 0, sample: true });
  for (let i = 0; i < count; i++) {
    const { tokenIds: [id] } = await rank.step(next);
    out.push(id!);
    next = chunk([id!], { slot, start: tokenIds.length + i, sample: true });
  }
  return out;
}

const SHAPES = {
  "grouped heads, odd vocabulary": {},
  "6 heads, 3 kv heads, head size 16": {
    hidden_size: 96,
    num_attention_heads: 6,
    num_key_value_heads: 3,
  },
  "12 heads, 4 kv heads": {
    hidden_size: 192,
    num_attention_heads: 12,
    num_key_value_heads: 4,
    vocab_size: 257,
  },
  "8 heads, 1 kv head, explicit head size": {
    num_attention_heads: 8,
    num_key_value_heads: 1,
    head_dim: 32,
  },
  "4 heads, 4 kv heads, head size 128": { num_key_value_heads: 4, head_dim: 128, vocab_size: 64 },
  "Qwen2 with biases and tied embeddings": {
    architectures: ["Qwen2ForCausalLM"],
    tie_word_embeddings: true,
  },
  "plain FFN with GELU": { architectures: ["PlainFFNForCausalLM"], hidden_act: "gelu" },
  "Llama 3 rope scaling": {
    rope_theta: 500000,
    rope_scaling: {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 16,
    },
  },
  "Mistral with a sliding window": { architectures: ["MistralForCausalLM"], sliding_window: 5 },
} as const;

for (const [name, changes] of Object.entries(SHAPES)) {
  for (const dtype of DTYPES) {
    Deno.test(`a decoder agrees with its float64 reference: ${name}, ${dtype}`, async () => {
      const model = tinyModel(changes);
      const stage = tinyStage(model, { dtype });
      for (const seed of [0, 1]) {
        using rank = await openRank(stage, dummy(model, seed));
        const exact = ReferenceDecoder.load(stage, dummy(model, seed));
        const rounded = [1, 2].map((roundingSeed) => exact.rounded(roundingSeed));
        let batch = chunk(prompt(9, { seed, vocab: model.vocab }), {
          slot: 1,
          start: 0,
          sample: true,
        });
        for (let step = 0; step < 4; step++) {
          const seen = await rank.step(batch);
          const [logits] = await rank.logits(1);
          const expected = exact.step(batch);
          const moved = rounded.map((decoder) => decoder.step(batch).logits[0]!);
          const spread = Math.max(
            ...moved.map((row) =>
              Math.max(...row.map((v, i) => Math.abs(v - expected.logits[0]![i]!)))
            ),
          );
          const error = Math.max(
            ...expected.logits[0]!.map((value, i) => Math.abs(value - logits![i]!)),
          );
          assert(error <= 4 * spread, `logits off by ${error}, rounding explains ${4 * spread}`);
          assert(spread < 2e-3, `a tolerance of ${spread} would prove nothing`);
          assertEquals(seen.tokenIds, expected.tokenIds);
          batch = chunk(seen.tokenIds, { slot: 1, start: 9 + step, sample: true });
        }
      }
    });
  }
}

Deno.test("chunked prefill gives the tokens of whole prefill, for every size of chunk", async () => {
  const model = tinyModel();
  using rank = await openRank(tinyStage(model), dummy(model));
  const tokenIds = prompt(17, { seed: 3, vocab: model.vocab });
  const whole = await generate(rank, tokenIds, 6);
  for (const size of [1, 2, 5, 8, 16]) {
    const slot = size % 3;
    for (let start = 0; start + size < tokenIds.length; start += size) {
      await rank.step(chunk(tokenIds.slice(start, start + size), { slot, start, sample: false }));
    }
    const start = Math.floor((tokenIds.length - 1) / size) * size;
    const out: number[] = [];
    let next = chunk(tokenIds.slice(start), { slot, start, sample: true });
    for (let i = 0; i < 6; i++) {
      const { tokenIds: [id] } = await rank.step(next);
      out.push(id!);
      next = chunk([id!], { slot, start: tokenIds.length + i, sample: true });
    }
    assertEquals(out, whole, `chunks of ${size}`);
  }
});

Deno.test("a batch of prefill chunks and decodes gives the tokens of one by one", async () => {
  const model = tinyModel();
  using rank = await openRank(tinyStage(model), dummy(model));
  const prompts = [5, 11, 3].map((length, seed) => prompt(length, { seed, vocab: model.vocab }));
  const alone: number[][] = [];
  for (const tokenIds of prompts) alone.push(await generate(rank, tokenIds, 5));
  // Sequence 0 decodes already while 1 and 2 are still being prefilled.
  const together: number[][] = [[], [], []];
  const done = [0, 0, 0];
  const known = prompts.map((tokenIds) => [...tokenIds]);
  const turns = [[5, 4, 0], [1, 7, 1], [1, 1, 2], [1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 0, 1]];
  for (const counts of turns) {
    const batch = {
      tokenIds: [] as number[],
      positions: [] as number[],
      slots: [] as number[],
      logitsIndices: [] as number[],
    };
    const sampled: number[] = [];
    counts.forEach((count, slot) => {
      for (let i = 0; i < count; i++) {
        batch.tokenIds.push(known[slot]![done[slot]!]!);
        batch.positions.push(done[slot]!++);
        batch.slots.push(slot);
      }
      if (count > 0 && done[slot] === known[slot]!.length) {
        batch.logitsIndices.push(batch.tokenIds.length - 1);
        sampled.push(slot);
      }
    });
    const { tokenIds } = await rank.step(batch);
    sampled.forEach((slot, i) => {
      known[slot]!.push(tokenIds[i]!);
      together[slot]!.push(tokenIds[i]!);
    });
  }
  assertEquals(together.map((tokens) => tokens.slice(0, 5)), alone);
});

Deno.test.afterAll(closeSharedDevice);
