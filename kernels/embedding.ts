import { defineKernel, wgslFile } from "./define_kernel.ts";
import naiveWgsl from "./embedding_naive.wgsl" with { type: "text" };
import sharedWgsl from "./embedding_shared.wgsl" with { type: "text" };
import vectorWgsl from "./embedding_vector.wgsl" with { type: "text" };
import {
  DTYPES,
  elementBytes,
  float32,
  host,
  UNIT_ROUNDOFF,
  vec4s,
  type WeightDType,
} from "./kernel.ts";
import { readWeightRow, WEIGHT_WGSL, weightTensors } from "./weight.ts";

/** A lookup in rows [vocabStart, vocabStart + rows) of the table [V, H], or in a column block of it. */
export interface EmbeddingShape {
  /** T. */
  readonly tokens: number;
  /** Columns of this table block. */
  readonly columns: number;
  /** The id of the first row. */
  readonly vocabStart: number;
  /** Rows of this shard; 0 where it is all padding. */
  readonly rows: number;
  /** Storage of the table. */
  readonly dtype: WeightDType;
  /** Ids to fill with are drawn below this; default from this shard, so that each is looked up here. */
  readonly vocab?: number;
  /** Columns of the whole output; default `columns`. */
  readonly outColumns?: number;
  /** First output column of this block, a multiple of 4; default 0. */
  readonly columnOffset?: number;
}

/** Vocab-parallel lookup: rows of ids in other shards are exactly 0, so that shards sum to the table. */
export const embedding = defineKernel<EmbeddingShape>({
  name: "embedding",
  fields: { tokens: "count", columns: "size", vocabStart: "count", rows: "count", dtype: DTYPES },
  program: (shape) => ({
    wgsl: [WEIGHT_WGSL[shape.dtype], wgslFile("embedding_shared.wgsl", sharedWgsl)],
    constants: {
      ROWS: shape.rows,
      VOCAB_START: shape.vocabStart,
      COLUMNS4: vec4s(shape.columns),
      OUT_STRIDE4: vec4s(shape.outColumns ?? shape.columns),
      OUT_OFFSET4: (shape.columnOffset ?? 0) / 4,
    },
    params: [shape.tokens],
    size: [shape.columns, shape.tokens],
  }),
  variants: {
    naive: { wgsl: wgslFile("embedding_naive.wgsl", naiveWgsl), tile: [8, 8] },
    vector: { wgsl: wgslFile("embedding_vector.wgsl", vectorWgsl), tile: [8 * 4] },
  },
  tensors: ({ tokens, columns, rows, dtype, vocabStart, vocab, outColumns = columns }) => ({
    ...weightTensors({ rows, columns }, dtype),
    ids: {
      rows: 1,
      columns: tokens,
      dtype: "uint32",
      fill: {
        kind: "integers",
        from: vocab === undefined ? vocabStart : 0,
        below: vocab ?? vocabStart + Math.max(1, rows),
      },
    },
    out: float32(tokens, outColumns),
  }),
  untuned: ["vocab", "vocabStart", "columnOffset"],
  outputs: ["out"],
  // Every id is in this shard, and no row is read twice.
  cost: ({ tokens, columns, rows, dtype }) => {
    const scaleBytes = dtype === "int8" && rows > 0 ? columns * 4 : 0;
    return {
      flops: 0,
      bytesRead: tokens * 4 + Math.min(tokens, rows) * columns * elementBytes(dtype) + scaleBytes,
      bytesWritten: tokens * columns * 4,
    };
  },
  reference: (shape, tensors) => {
    const { tokens, columns, vocabStart, rows, outColumns = columns, columnOffset = 0 } = shape;
    const ids = host(tensors, "ids");
    const out = host(tensors, "out");
    const row = new Float64Array(columns);
    for (let t = 0; t < tokens; t++) {
      const inShard = ids[t]! - vocabStart;
      if (inShard >= 0 && inShard < rows) readWeightRow(tensors, inShard, row);
      else row.fill(0);
      for (let h = 0; h < columns; h++) out[t * outColumns + columnOffset + h] = row[h]!;
    }
  },
  // A copy is exact; int8 is one product, rounded once.
  errorBound: ({ dtype }, { out }) => dtype === "int8" ? UNIT_ROUNDOFF * out!.max : 0,
  edgeCases: ({ dtype }) => [{
    name: "ids of other shards",
    shape: { tokens: 17, columns: 40, vocabStart: 10, rows: 53, vocab: 90, dtype },
  }],
});
