import { DummyWeights } from "../../model/dummy_weights.ts";
import { type ModelShape, parseModelShape } from "../../model/shape.ts";
import { type Stage, wholeDecoder } from "../../model/stage_program.ts";

/** A small decoder; changes are keys of a config.json. */
export function tinyModel(changes: Readonly<Record<string, unknown>> = {}): ModelShape {
  return parseModelShape({
    architectures: ["LlamaForCausalLM"],
    hidden_size: 64,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 96,
    num_hidden_layers: 2,
    vocab_size: 101,
    ...changes,
  }, { name: "tiny", path: "tiny" });
}

/** The whole of a small decoder on one rank. */
export function tinyStage(
  model: ModelShape,
  changes: Partial<Omit<Stage, "model">> = {},
): Stage {
  const rest = {
    dtype: "float32",
    maxNumSeqs: 3,
    maxModelLen: 32,
    maxNumBatchedTokens: 24,
    maxStorageBufferBindingSize: 1 << 27,
  } as const;
  return { ...wholeDecoder(model, rest), ...changes };
}

/** Seeded weights for a model. */
export function dummy(model: ModelShape, seed = 0): DummyWeights {
  return new DummyWeights(seed, model);
}
