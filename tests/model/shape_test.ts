import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ModelShapeError, parseModelShape } from "../../model/shape.ts";

const LLAMA = {
  architectures: ["LlamaForCausalLM"],
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 96,
  num_hidden_layers: 3,
  vocab_size: 101,
};

function parse(changes: Readonly<Record<string, unknown>> = {}) {
  return parseModelShape({ ...LLAMA, ...changes }, { name: "m", path: "m.json" });
}

Deno.test("a shape gets the defaults of Hugging Face where keys are absent", () => {
  assertEquals(parse(), {
    name: "m",
    architecture: "LlamaForCausalLM",
    hidden: 64,
    heads: 4,
    kvHeads: 2,
    headSize: 16,
    ffn: 96,
    ffnKind: "gated",
    activation: "silu",
    layers: 3,
    vocab: 101,
    rmsNormEps: 1e-6,
    ropeTheta: 10000,
    attentionBias: false,
    tiedEmbeddings: false,
    maxPositions: 2048,
  });
  assertEquals(parse({ num_key_value_heads: null }).kvHeads, 4);
  assertEquals(parse({ head_dim: 24 }).headSize, 24);
});

Deno.test("Qwen2 has biases on q, k and v, and a sliding window only if it says so", () => {
  const qwen = { architectures: ["Qwen2ForCausalLM"], sliding_window: 50 };
  assertEquals(parse(qwen).attentionBias, true);
  assertEquals(parse(qwen).slidingWindow, undefined);
  assertEquals(parse({ ...qwen, use_sliding_window: true }).slidingWindow, 50);
  assertEquals(
    parse({ architectures: ["MistralForCausalLM"], sliding_window: 50 }).slidingWindow,
    50,
  );
});

Deno.test("rope scaling is read in its old and its new place", () => {
  const llama3 = {
    rope_type: "llama3",
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const scaling = {
    kind: "llama3",
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  } as const;
  assertEquals(parse({ rope_scaling: llama3 }).ropeScaling, scaling);
  const moved = parse({ rope_parameters: { ...llama3, rope_theta: 5e5 } });
  assertEquals([moved.ropeScaling, moved.ropeTheta], [scaling, 5e5]);
  assertEquals(parse({ rope_scaling: { type: "linear", factor: 2 } }).ropeScaling, {
    kind: "linear",
    factor: 2,
  });
  assertEquals(parse({ rope_scaling: { rope_type: "default" } }).ropeScaling, undefined);
});

Deno.test("what cannot be run is refused by name, all of it at once", () => {
  const error = assertThrows(() =>
    parse({
      architectures: ["GPT2LMHeadModel"],
      hidden_size: 0,
      hidden_act: "tanh",
      attention_bias: true,
    }), ModelShapeError);
  assertEquals(error.problems.map(({ path }) => path).sort(), [
    "architectures.0",
    "attention_bias",
    "hidden_act",
    "hidden_size",
  ]);
  for (
    const [changes, path] of [
      [{ num_key_value_heads: 3 }, "num_key_value_heads"],
      [{ hidden_size: 66 }, "hidden_size"],
      [{ ffn: "plain" }, "ffn"],
      [{ final_logit_softcapping: 30 }, "final_logit_softcapping"],
      [{ partial_rotary_factor: 0.5 }, "partial_rotary_factor"],
      [{ quantization_config: { bits: 4 } }, "quantization_config"],
      [{ rope_scaling: { rope_type: "yarn", factor: 2 } }, "rope_scaling.rope_type"],
      [{ rope_scaling: { rope_type: "llama3" } }, "rope_scaling.factor"],
    ] as const
  ) assertStringIncludes(assertThrows(() => parse(changes), ModelShapeError).message, path);
});

Deno.test("keys that change nothing, or are switched off, are no problem", () => {
  const changes = {
    torch_dtype: "bfloat16",
    eos_token_id: [1, 2],
    qk_norm: false,
    sliding_window: null,
  };
  assertEquals(parse({ ...changes, partial_rotary_factor: 1 }), parse());
});
