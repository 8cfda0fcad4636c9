/** The sizes of a decoder, read from a Hugging Face `config.json`. */

import { z } from "zod";
import { fewLines } from "../records/files/few_lines.ts";
import type { RopeScaling } from "../kernels/rope.ts";

/** The architectures that can be run; the last one is the suite's own, with an ungated FFN. */
export const ARCHITECTURES = [
  "LlamaForCausalLM",
  "MistralForCausalLM",
  "Qwen2ForCausalLM",
  "PlainFFNForCausalLM",
] as const;

/** A decoder as sizes; letters as in ARCHITECTURE.md. */
export interface ModelShape {
  /** Of its file or folder; `+hash` where overrides change it. */
  readonly name: string;
  /** The class of Hugging Face's transformers that computes the same. */
  readonly architecture: typeof ARCHITECTURES[number];
  /** H. */
  readonly hidden: number;
  /** N, query heads. */
  readonly heads: number;
  /** K, key and value heads. */
  readonly kvHeads: number;
  /** D. */
  readonly headSize: number;
  /** F. */
  readonly ffn: number;
  /** Gated: act(gate) * up, then down. Plain: act(up), then down. */
  readonly ffnKind: "gated" | "plain";
  /** Of the feed-forward network. */
  readonly activation: "silu" | "gelu" | "gelu_tanh" | "relu";
  /** L. */
  readonly layers: number;
  /** V, not padded. */
  readonly vocab: number;
  /** Added to the mean square under the root. */
  readonly rmsNormEps: number;
  /** Base of the rotary angles. */
  readonly ropeTheta: number;
  /** How angles are stretched to longer contexts; not at all where absent. */
  readonly ropeScaling?: RopeScaling;
  /** Whether q, k and v have biases (never the output projection). */
  readonly attentionBias: boolean;
  /** Whether the LM head is the embedding table. */
  readonly tiedEmbeddings: boolean;
  /** The longest sequence, in tokens. */
  readonly maxPositions: number;
  /** Positions that attention looks back, where the model limits them; full attention is exact up to it. */
  readonly slidingWindow?: number;
}

/** What is wrong with one key of a model file. */
export interface ModelShapeProblem {
  /** The key in the model file, for example `num_attention_heads`. */
  readonly path: string;
  readonly found: string;
  readonly legal: string;
  readonly message: string;
}

/** A model file that does not describe a decoder the suite can run; carries every problem at once. */
export class ModelShapeError extends Error {
  override readonly name = "ModelShapeError";
  constructor(readonly file: string, readonly problems: readonly ModelShapeProblem[]) {
    super(
      [`Cannot use model "${file}":`, ...fewLines(problems.map(({ message }) => message))].join(
        "\n  ",
      ),
    );
  }
}

/** No model is within a factor of ten of these: a size beyond is a slip, and its products are exact numbers. */
const size = z.int().min(1).max(2 ** 26);
const layerCount = z.int().min(1).max(10_000);
const ropeParameters = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: size.optional(),
});

/** The keys of a Hugging Face config.json that decide a shape; others are left alone. */
export const MODEL_FILE_SCHEMA = z.object({
  architectures: z.tuple([z.enum(ARCHITECTURES)]).describe("The decoder's architecture"),
  hidden_size: size.describe("H, width of the residual stream"),
  num_attention_heads: size.describe("N, query heads"),
  num_key_value_heads: size.nullish().describe("K, key and value heads; N where absent"),
  head_dim: size.multipleOf(2).nullish().describe("D, size of a head; H/N where absent"),
  intermediate_size: size.describe("F, width of the feed-forward network"),
  num_hidden_layers: layerCount.describe("L, decoder layers"),
  vocab_size: size.describe("V, rows of the embedding table"),
  hidden_act: z.enum(["silu", "swish", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu"]).optional()
    .describe("Activation of the feed-forward network; silu where absent"),
  ffn: z.enum(["gated", "plain"]).optional()
    .describe("Kind of feed-forward network; plain goes with PlainFFNForCausalLM only"),
  rms_norm_eps: z.number().positive().optional().describe(
    "Added to the mean square; 1e-6 where absent",
  ),
  rope_theta: z.number().positive().optional().describe(
    "Base of the rotary frequencies; 10000 where absent",
  ),
  rope_scaling: ropeParameters.nullish().describe(
    "Stretching of rotary frequencies: linear or llama3",
  ),
  rope_parameters: ropeParameters.nullish().describe("Newer place of rope_theta and rope_scaling"),
  attention_bias: z.literal(false).optional().describe(
    "Biases on q, k, v and o together: not supported",
  ),
  mlp_bias: z.literal(false).optional().describe(
    "Biases in the feed-forward network: not supported",
  ),
  tie_word_embeddings: z.boolean().optional().describe(
    "Whether the LM head is the embedding table",
  ),
  max_position_embeddings: size.optional().describe("Longest context; 2048 where absent"),
  sliding_window: size.nullish().describe("Positions that attention looks back"),
  use_sliding_window: z.boolean().optional().describe("Whether sliding_window counts (Qwen2)"),
});

/** Keys of a config.json that change nothing that is computed here. */
const HARMLESS_KEYS: ReadonlySet<string> = new Set([
  "$schema",
  "_name_or_path",
  "attention_dropout",
  "attn_implementation",
  "bos_token_id",
  "dtype",
  "eos_token_id",
  "hidden_dropout",
  "id2label",
  "initializer_range",
  "label2id",
  "max_window_layers",
  "model_type",
  "name_or_path",
  "pad_token_id",
  "resid_pdrop",
  "torch_dtype",
  "transformers_version",
  "unk_token_id",
  "use_cache",
]);

/** Keys that are legal with one value only: the one that is implemented. */
const FIXED_KEYS: Readonly<Record<string, unknown>> = {
  pretraining_tp: 1,
  partial_rotary_factor: 1,
  logit_scale: 1,
};

type ModelFile = z.output<typeof MODEL_FILE_SCHEMA>;

const ACTIVATIONS = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "gelu_tanh",
  gelu_pytorch_tanh: "gelu_tanh",
  relu: "relu",
} as const;

/**
 * Reads a shape from the parsed text of a config.json.
 *
 * `name` becomes the shape's name, `path` stands in errors. ModelShapeError lists every problem.
 */
export function parseModelShape(
  json: unknown,
  { name, path }: { readonly name: string; readonly path: string },
): ModelShape {
  const parsed = MODEL_FILE_SCHEMA.safeParse(json);
  if (!parsed.success) throw new ModelShapeError(path, schemaProblems(json, parsed.error));
  const file = parsed.data;
  const problems = [
    ...unknownKeyProblems(json as Readonly<Record<string, unknown>>),
    ...headProblems(file),
    ...ffnProblems(file),
    ...ropeProblems(file),
  ];
  if (problems.length > 0) throw new ModelShapeError(path, problems);

  const [architecture] = file.architectures;
  const rope = file.rope_scaling ?? file.rope_parameters;
  const scaling = rope ? readRopeScaling(rope) : undefined;
  const slides = file.use_sliding_window ?? architecture !== "Qwen2ForCausalLM";
  return {
    name,
    architecture,
    hidden: file.hidden_size,
    heads: file.num_attention_heads,
    kvHeads: file.num_key_value_heads ?? file.num_attention_heads,
    headSize: file.head_dim ?? file.hidden_size / file.num_attention_heads,
    ffn: file.intermediate_size,
    ffnKind: architecture === "PlainFFNForCausalLM" ? "plain" : "gated",
    activation: ACTIVATIONS[file.hidden_act ?? "silu"],
    layers: file.num_hidden_layers,
    vocab: file.vocab_size,
    rmsNormEps: file.rms_norm_eps ?? 1e-6,
    ropeTheta: file.rope_theta ?? file.rope_parameters?.rope_theta ?? 10000,
    ...(scaling === undefined ? {} : { ropeScaling: scaling }),
    attentionBias: architecture === "Qwen2ForCausalLM",
    tiedEmbeddings: file.tie_word_embeddings ?? false,
    maxPositions: file.max_position_embeddings ?? 2048,
    ...(slides && file.sliding_window ? { slidingWindow: file.sliding_window } : {}),
  };
}

function readRopeScaling(rope: z.output<typeof ropeParameters>): RopeScaling | undefined {
  const kind = rope.rope_type ?? rope.type ?? "default";
  if (kind === "default" || rope.factor === undefined) return undefined;
  if (kind === "linear") return { kind, factor: rope.factor };
  return {
    kind: "llama3",
    factor: rope.factor,
    lowFreqFactor: rope.low_freq_factor ?? 1,
    highFreqFactor: rope.high_freq_factor ?? 4,
    originalMaxPositions: rope.original_max_position_embeddings ?? 8192,
  };
}

/** A key that we do not know may ask for something that we do not compute, unless it is switched off. */
function unknownKeyProblems(json: Readonly<Record<string, unknown>>): ModelShapeProblem[] {
  const unknown = Object.entries(json).filter(([key, value]) =>
    !Object.hasOwn(MODEL_FILE_SCHEMA.shape, key) && !HARMLESS_KEYS.has(key) &&
    value !== null && value !== false && value !== FIXED_KEYS[key]
  );
  return unknown.map(([key, value]) => {
    const legal = Object.hasOwn(FIXED_KEYS, key)
      ? String(FIXED_KEYS[key])
      : "nothing: not implemented";
    return problem(key, value, legal);
  });
}

function headProblems(file: ModelFile): ModelShapeProblem[] {
  const { hidden_size: hidden, num_attention_heads: heads } = file;
  const kvHeads = file.num_key_value_heads ?? heads;
  const problems: ModelShapeProblem[] = [];
  if (!file.head_dim && hidden % (2 * heads) !== 0) {
    const legal = `an even multiple of num_attention_heads (${heads}), or give head_dim`;
    problems.push(problem("hidden_size", hidden, legal));
  }
  if (heads % kvHeads !== 0) {
    const legal = `a divisor of num_attention_heads (${heads})`;
    problems.push(problem("num_key_value_heads", kvHeads, legal));
  }
  return problems;
}

function ffnProblems({ architectures: [architecture], ffn }: ModelFile): ModelShapeProblem[] {
  const legal = architecture === "PlainFFNForCausalLM" ? "plain" : "gated";
  if (ffn === undefined || ffn === legal) return [];
  return [problem("ffn", ffn, `"${legal}" for ${architecture}`)];
}

function ropeProblems(file: ModelFile): ModelShapeProblem[] {
  const key = file.rope_scaling ? "rope_scaling" : "rope_parameters";
  const rope = file[key];
  const kind = rope?.rope_type ?? rope?.type ?? "default";
  if (!rope || kind === "default") return [];
  if (kind !== "linear" && kind !== "llama3") {
    return [problem(`${key}.rope_type`, kind, `"default", "linear" or "llama3"`)];
  }
  if (rope.factor === undefined) return [problem(`${key}.factor`, undefined, "a number above 0")];
  return [];
}

function schemaProblems(json: unknown, error: z.ZodError): ModelShapeProblem[] {
  return error.issues.map((issue) => {
    const found = issue.path.reduce<unknown>((at, key) => Object(at)[key], json);
    const legal = issue.path[0] === "architectures"
      ? `one of ${ARCHITECTURES.join(", ")}`
      : issue.message.replace(/^.*?: /, "").replace(/, received .*$/, "");
    return problem(issue.path.join(".") || "(the whole file)", found, legal);
  });
}

function problem(path: string, found: unknown, legal: string): ModelShapeProblem {
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  return { path, found: shown, legal, message: `${path}: found ${shown}; legal: ${legal}` };
}
