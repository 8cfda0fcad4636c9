import { activation } from "./activation.ts";
import type { ActivationName } from "./activate.ts";
import { attention } from "./attention.ts";
import { embedding, type EmbeddingShape } from "./embedding.ts";
import { elementBytes, type WeightDType } from "./kernel.ts";
import { kvAppend } from "./kv_append.ts";
import { type Operation, operation } from "./operation.ts";
import { gemm, gemv, GEMV_TOKENS, type MatmulShape } from "./matmul.ts";
import { rope, type RopeScaling } from "./rope.ts";

/** The sizes that all modules have. */
export interface ModuleShape {
  /** New tokens T. */
  readonly tokens: number;
  /** H. */
  readonly hidden: number;
  readonly dtype: WeightDType;
  /** Largest range of a buffer that a shader can see; wider weights are cut into column blocks. */
  readonly maxStorageBufferBindingSize: number;
}

/** One rank's shard of an attention layer. */
export interface AttentionModuleShape extends ModuleShape {
  /** Query heads of the rank. */
  readonly heads: number;
  /** Kv heads of the rank. */
  readonly kvHeads: number;
  readonly headSize: number;
  /** KV positions visible to the last token, at least `tokens`. */
  readonly context: number;
  readonly theta: number;
  readonly scaling?: RopeScaling | undefined;
  /** Positions that a token looks back, itself included; default all. */
  readonly window?: number | undefined;
  /** Sequences in the KV cache; default 1. */
  readonly maxNumSeqs?: number;
  /** Position of each token; default the last of the context. */
  readonly positions?: readonly number[];
  /** Cache slot of each token; default 0. */
  readonly tokenSlots?: readonly number[];
  /** Whether q, k and v have biases. */
  readonly bias: boolean;
}

/** One rank's shard of a feed-forward network. */
export interface FfnModuleShape extends ModuleShape {
  /** F of the rank. */
  readonly ffn: number;
  /** Gate and up (Llama), or a single up matrix. */
  readonly gated: boolean;
  readonly activation: ActivationName;
}

/** One rank's shard of the vocabulary. */
export interface VocabModuleShape extends ModuleShape {
  /** Ids to fill with are drawn below this; default from the rank's own rows. */
  readonly vocab?: number;
  readonly vocabStart: number;
  /** Real rows of the shard; 0 where it is all padding. */
  readonly rows: number;
}

/**
 * Column blocks of a weight [rows, columns], each within the binding limit and a multiple of 4 wide.
 * @throws {RangeError} where four columns do not fit it.
 */
export function columnBlocks(
  size: { readonly rows: number; readonly columns: number },
  storage: { readonly dtype: WeightDType; readonly maxStorageBufferBindingSize: number },
): readonly { readonly offset: number; readonly columns: number }[] {
  const { rows, columns } = size;
  const bytesAColumn = Math.max(1, rows) * elementBytes(storage.dtype);
  const most = Math.floor(storage.maxStorageBufferBindingSize / bytesAColumn / 4) * 4;
  if (most < 4) {
    throw new RangeError(
      `Cannot cut a weight of ${rows} rows: four columns take ${4 * bytesAColumn} bytes, ` +
        `the adapter binds ${storage.maxStorageBufferBindingSize}`,
    );
  }
  const count = Math.max(1, Math.ceil(columns / most));
  const width = Math.ceil(columns / count / 4) * 4;
  return Array.from({ length: count }, (_, i) => ({
    offset: i * width,
    columns: Math.min(width, columns - i * width),
  })).filter((block) => block.columns > 0);
}

/** A matmul as one operation a column block: gemv up to 8 tokens, else gemm. */
export function matmul(
  shape: MatmulShape,
  names: Readonly<Record<string, string>>,
  maxStorageBufferBindingSize: number,
): readonly Operation[] {
  const kernel = shape.tokens <= GEMV_TOKENS ? gemv : gemm;
  const { k: rows, columns, dtype } = shape;
  const blocks = columnBlocks({ rows, columns }, { dtype, maxStorageBufferBindingSize });
  return blocks.map((block, i) => {
    const suffix = blocks.length > 1 ? `.${i}` : "";
    return operation(
      kernel,
      { ...shape, columns: block.columns, outColumns: columns, columnOffset: block.offset },
      {
        ...names,
        weight: `${names["weight"] ?? "weight"}${suffix}`,
        scale: `${names["weight"] ?? "weight"}${suffix}.scale`,
      },
    );
  });
}

/** Lookup of the ids in this rank's rows of the table; partial rows, to be all-reduced. */
export function embeddingModule(shape: VocabModuleShape): readonly Operation[] {
  const { tokens, hidden, dtype, vocabStart, rows, maxStorageBufferBindingSize } = shape;
  const blocks = columnBlocks({ rows, columns: hidden }, { dtype, maxStorageBufferBindingSize });
  return blocks.map((block, i) => {
    const own: EmbeddingShape = {
      tokens,
      columns: block.columns,
      outColumns: hidden,
      columnOffset: block.offset,
      vocabStart,
      rows,
      dtype,
      ...(shape.vocab === undefined ? {} : { vocab: shape.vocab }),
    };
    const suffix = blocks.length > 1 ? `.${i}` : "";
    return operation(embedding, own, {
      weight: `table${suffix}`,
      scale: `table${suffix}.scale`,
      out: "hidden",
    });
  });
}

/** QKV in one matmul, rotation, append, attention, output projection; partial sums of hidden. */
export function attentionModule(shape: AttentionModuleShape): readonly Operation[] {
  const { tokens, hidden, heads, kvHeads, headSize, context, dtype, maxStorageBufferBindingSize } =
    shape;
  const qkvColumns = (heads + 2 * kvHeads) * headSize;
  const rotated = (heads + kvHeads) * headSize;
  const cache = {
    ...{ tokens, kvHeads, headSize, maxNumSeqs: shape.maxNumSeqs ?? 1, context },
    ...(shape.positions ? { positions: shape.positions } : {}),
    ...(shape.tokenSlots ? { tokenSlots: shape.tokenSlots } : {}),
  };
  return [
    ...matmul(
      { tokens, k: hidden, columns: qkvColumns, dtype, bias: shape.bias },
      { x: "hidden", weight: "qkv_weight", bias: "qkv_bias", out: "qkv" },
      maxStorageBufferBindingSize,
    ),
    operation(
      rope,
      {
        tokens,
        heads: heads + kvHeads,
        headSize,
        xColumns: qkvColumns,
        context,
        theta: shape.theta,
        scaling: shape.scaling,
      },
      { x: "qkv", out: "rotated" },
    ),
    operation(
      kvAppend,
      {
        ...cache,
        keyColumns: rotated,
        keyOffset: heads * headSize,
        valueColumns: qkvColumns,
        valueOffset: rotated,
      },
      { key: "rotated", value: "qkv" },
    ),
    operation(attention, { ...cache, heads, qColumns: rotated, ...windowed(shape) }, {
      q: "rotated",
      out: "mixed",
    }),
    ...matmul(
      { tokens, k: heads * headSize, columns: hidden, dtype },
      { x: "mixed", weight: "o_weight", out: "attention_out" },
      maxStorageBufferBindingSize,
    ),
  ];
}

function windowed({ window }: AttentionModuleShape): { readonly window?: number } {
  return window === undefined ? {} : { window };
}

/** Gate and up in one matmul, activation, down; or up with its activation fused, down. */
export function ffnModule(shape: FfnModuleShape): readonly Operation[] {
  const { tokens, hidden, ffn, gated, dtype, maxStorageBufferBindingSize } = shape;
  const up = { tokens, k: hidden, dtype };
  const first = gated
    ? [
      ...matmul(
        { ...up, columns: 2 * ffn },
        { x: "hidden", weight: "gate_up_weight", out: "gate_up" },
        maxStorageBufferBindingSize,
      ),
      operation(activation, { tokens, columns: ffn, gated, activation: shape.activation }, {
        x: "gate_up",
        out: "activated",
      }),
    ]
    : matmul(
      { ...up, columns: ffn, activation: shape.activation },
      { x: "hidden", weight: "up_weight", out: "activated" },
      maxStorageBufferBindingSize,
    );
  return [
    ...first,
    ...matmul(
      { tokens, k: ffn, columns: hidden, dtype },
      { x: "activated", weight: "down_weight", out: "ffn_out" },
      maxStorageBufferBindingSize,
    ),
  ];
}

/** Logits of this rank's columns of the head, to be gathered. */
export function lmHeadModule(shape: VocabModuleShape): readonly Operation[] {
  const { tokens, hidden, rows, dtype, maxStorageBufferBindingSize } = shape;
  return matmul(
    { tokens, k: hidden, columns: rows, dtype },
    { x: "hidden", weight: "head_weight", out: "logits" },
    maxStorageBufferBindingSize,
  );
}
