import type { Fields } from "./check_shape.ts";
import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, type Tensor, tokenWords, vec4s } from "./kernel.ts";
import naiveWgsl from "./kv_append_naive.wgsl" with { type: "text" };
import { lastPositions } from "./rope.ts";

/** Where the tokens of a batch live in the KV cache: [slots, context, kvHeads * headSize]. */
export interface CacheShape {
  /** T. */
  readonly tokens: number;
  /** K. */
  readonly kvHeads: number;
  /** D, a multiple of 4. */
  readonly headSize: number;
  /** Slots of the cache. */
  readonly maxNumSeqs: number;
  /** S, positions of a slot. */
  readonly context: number;
  /** Cache slot of each token; default 0. */
  readonly tokenSlots?: readonly number[];
  /** Position of each token; default the last `tokens` of the context. */
  readonly positions?: readonly number[];
}

/** Keys and values, each a range of columns of a wider matrix, to be stored. */
export interface KvAppendShape extends CacheShape {
  /** Columns of `key`. */
  readonly keyColumns: number;
  /** First column of the keys, a multiple of 4. */
  readonly keyOffset: number;
  /** Columns of `value`. */
  readonly valueColumns: number;
  /** First column of the values, a multiple of 4. */
  readonly valueOffset: number;
}

/** What the fields of a cache may be. */
export const CACHE_FIELDS: Fields<CacheShape> = {
  tokens: "count",
  kvHeads: "size",
  headSize: "size",
  maxNumSeqs: "size",
  context: "size",
};

/** `slots` and `positions` [1, T], and `key_cache` and `value_cache` [maxNumSeqs * S, K * D]. */
export function cacheTensors(shape: CacheShape): Readonly<Record<string, Tensor>> {
  const { tokens, kvHeads, headSize, maxNumSeqs, context } = shape;
  const cache = float32(maxNumSeqs * context, kvHeads * headSize, 1);
  return {
    slots: tokenWords(tokens, shape.tokenSlots ?? new Array<number>(tokens).fill(0)),
    positions: tokenWords(tokens, shape.positions ?? lastPositions(tokens, context)),
    key_cache: cache,
    value_cache: cache,
  };
}

/** Copies columns of `key` and `value` to row slot * S + position of the caches, a row a token. */
export const kvAppend = defineKernel<KvAppendShape>({
  name: "kv_append",
  fields: {
    ...CACHE_FIELDS,
    keyColumns: "size",
    keyOffset: "count",
    valueColumns: "size",
    valueOffset: "count",
  },
  program: (shape) => ({
    wgsl: [],
    constants: {
      WIDTH4: shape.kvHeads * shape.headSize / 4,
      KEY_STRIDE4: vec4s(shape.keyColumns),
      KEY_OFFSET4: shape.keyOffset / 4,
      VALUE_STRIDE4: vec4s(shape.valueColumns),
      VALUE_OFFSET4: shape.valueOffset / 4,
      CONTEXT: shape.context,
      SLOTS: shape.maxNumSeqs,
    },
    params: [],
    size: [shape.kvHeads * shape.headSize, shape.tokens],
  }),
  variants: { naive: { wgsl: wgslFile("kv_append_naive.wgsl", naiveWgsl), tile: [8 * 4] } },
  tensors: (shape) => ({
    key: float32(shape.tokens, shape.keyColumns, 1),
    value: float32(shape.tokens, shape.valueColumns, 1),
    ...cacheTensors(shape),
  }),
  untuned: ["keyOffset", "valueOffset", "positions", "tokenSlots"],
  outputs: ["key_cache", "value_cache"],
  cost: ({ tokens, kvHeads, headSize }) => ({
    flops: 0,
    bytesRead: 8 * tokens * kvHeads * headSize,
    bytesWritten: 8 * tokens * kvHeads * headSize,
  }),
  reference: (shape, tensors) => {
    const width = shape.kvHeads * shape.headSize;
    const sources = [
      { from: "key", to: "key_cache", stride: shape.keyColumns, offset: shape.keyOffset },
      { from: "value", to: "value_cache", stride: shape.valueColumns, offset: shape.valueOffset },
    ];
    for (const { from, to, stride, offset } of sources) {
      const source = host(tensors, from);
      const cache = host(tensors, to);
      for (let t = 0; t < shape.tokens; t++) {
        const row = host(tensors, "slots")[t]! * shape.context + host(tensors, "positions")[t]!;
        for (let i = 0; i < width; i++) cache[row * width + i] = source[t * stride + offset + i]!;
      }
    }
  },
  errorBound: () => 0,
  edgeCases: ({ kvHeads, headSize }) => {
    const width = kvHeads * headSize;
    return [{
      name: "several sequences",
      shape: {
        ...{ kvHeads, headSize, maxNumSeqs: 3, context: 37, tokens: 5 },
        ...{ keyColumns: 2 * width, keyOffset: width, valueColumns: width, valueOffset: 0 },
        tokenSlots: [0, 2, 2, 1, 0],
        positions: [36, 0, 1, 17, 3],
      },
    }];
  },
});
