import { defineKernel, wgslFile } from "./define_kernel.ts";
import sharedWgsl from "./attention_shared.wgsl" with { type: "text" };
import naiveWgsl from "./attention_naive.wgsl" with { type: "text" };
import workgroupWgsl from "./attention_workgroup.wgsl" with { type: "text" };
import { float32, host, type HostTensors, vec4s } from "./kernel.ts";
import { CACHE_FIELDS, type CacheShape, cacheTensors } from "./kv_append.ts";
import { onlineAttention } from "./online_attention.ts";
import { lastPositions } from "./rope.ts";
import { positiveSumError, signedSumError, UNIT_ROUNDOFF } from "./rounding.ts";

/** Attention of `tokens` queries with `heads` heads over a cache. */
export interface AttentionShape extends CacheShape {
  /** N, a multiple of `kvHeads`. */
  readonly heads: number;
  /** Columns of q, whose first heads * headSize are the queries. */
  readonly qColumns: number;
  /** Positions that a token looks back, itself included; default all. */
  readonly window?: number;
}

function windowOf({ window, context }: AttentionShape): number {
  return Math.min(window ?? context, context);
}

/** Visible positions summed over the tokens: what the cost grows with. */
function visible(shape: AttentionShape): number {
  const { tokens, context, positions } = shape;
  const window = windowOf(shape);
  const seen = (position: number) => Math.min(position + 1, window);
  return (positions ?? lastPositions(tokens, context)).reduce((sum, p) => sum + seen(p), 0);
}

/** Positions of the cache that some token sees, over all slots: each is read once at least. */
function positionsRead(shape: AttentionShape): number {
  const { tokens, context, tokenSlots, positions = lastPositions(tokens, context) } = shape;
  const window = windowOf(shape);
  const ofSlot = Map.groupBy(positions, (_, t) => tokenSlots?.[t] ?? 0);
  let read = 0;
  for (const last of ofSlot.values()) {
    let end = 0; // behind the last position that was counted
    for (const position of last.sort((a, b) => a - b)) {
      read += position + 1 - Math.max(end, position + 1 - window);
      end = position + 1;
    }
  }
  return read;
}

function referenceHead(
  shape: AttentionShape,
  tensors: HostTensors,
  at: { readonly token: number; readonly head: number; readonly weights: Float64Array },
): void {
  const { heads, kvHeads, headSize, context, qColumns } = shape;
  const { token, head, weights } = at;
  const q = host(tensors, "q");
  const keys = host(tensors, "key_cache");
  const values = host(tensors, "value_cache");
  const out = host(tensors, "out");
  const width = kvHeads * headSize;
  const count = host(tensors, "positions")[token]! + 1;
  const start = host(tensors, "slots")[token]! * context * width +
    Math.floor(head * kvHeads / heads) * headSize;
  const first = Math.max(0, count - windowOf(shape));
  const query = token * qColumns + head * headSize;
  let most = -Infinity;
  for (let s = first; s < count; s++) {
    let dot = 0;
    for (let i = 0; i < headSize; i++) dot += q[query + i]! * keys[start + s * width + i]!;
    weights[s] = dot / Math.sqrt(headSize);
    most = Math.max(most, weights[s]!);
  }
  let total = 0;
  for (let s = first; s < count; s++) total += weights[s] = Math.exp(weights[s]! - most);
  const to = (token * heads + head) * headSize;
  for (let i = 0; i < headSize; i++) out[to + i] = 0;
  for (let s = first; s < count; s++) {
    const p = weights[s]! / total;
    for (let i = 0; i < headSize; i++) out[to + i]! += p * values[start + s * width + i]!;
  }
}

/** Causal grouped-query attention; prefill chunks and decodes of several sequences in one batch. */
export const attention = defineKernel<AttentionShape>({
  name: "attention",
  fields: { ...CACHE_FIELDS, heads: "size", qColumns: "size" },
  program: (shape) => ({
    wgsl: [wgslFile("attention_shared.wgsl", sharedWgsl)],
    constants: {
      HEADS: shape.heads,
      GROUP: shape.heads / shape.kvHeads,
      HEAD4: shape.headSize / 4,
      CONTEXT: shape.context,
      WINDOW: windowOf(shape),
      Q_STRIDE4: vec4s(shape.qColumns),
      SCALE: 1 / Math.sqrt(shape.headSize),
    },
    params: [shape.tokens],
    size: [shape.heads * shape.headSize, shape.tokens],
  }),
  variants: {
    naive: { wgsl: wgslFile("attention_naive.wgsl", naiveWgsl), tile: [8 * 4] },
    online: {
      wgsl: ({ headSize }) => wgslFile("online_attention.ts", onlineAttention(headSize / 4)),
      tile: ({ headSize }) => [8 * headSize],
    },
    workgroup_chunks: {
      wgsl: wgslFile("attention_workgroup.wgsl", workgroupWgsl),
      tile: ({ headSize }) => [headSize],
      unsupported: ({ headSize }) =>
        headSize > 256 ? `head size ${headSize} is above 256` : undefined,
    },
  },
  tensors: (shape) => ({
    q: float32(shape.tokens, shape.qColumns, 1),
    ...cacheTensors(shape),
    out: float32(shape.tokens, shape.heads * shape.headSize),
  }),
  untuned: ["positions", "tokenSlots"],
  outputs: ["out"],
  cost: (shape) => {
    const { tokens, heads, kvHeads, headSize } = shape;
    return {
      flops: visible(shape) * heads * (4 * headSize + 5),
      bytesRead: tokens * heads * headSize * 4 + positionsRead(shape) * kvHeads * headSize * 8,
      bytesWritten: tokens * heads * headSize * 4,
    };
  },
  reference: (shape, tensors) => {
    const weights = new Float64Array(shape.context);
    for (let token = 0; token < shape.tokens; token++) {
      for (let head = 0; head < shape.heads; head++) {
        referenceHead(shape, tensors, { token, head, weights });
      }
    }
  },
  // Positions' errors average out as their values do, whose weighted sum is the output. Each weight is off by
  // the error of its score, a sum of D products, and of its exp; sums over S positions add theirs.
  errorBound: (shape, { q, key_cache, out }) => {
    const { headSize } = shape;
    const score = signedSumError(headSize, q!.rms * key_cache!.rms) / Math.sqrt(headSize);
    return out!.max * (16 * UNIT_ROUNDOFF + score + 1.5 * positiveSumError(windowOf(shape)));
  },
  edgeCases: (shape) => {
    const { heads, kvHeads, headSize } = shape;
    const few = { kvHeads: 2, heads: 2 * heads / kvHeads, headSize, maxNumSeqs: 2 };
    const far = {
      ...few,
      tokens: 5,
      context: 1100,
      qColumns: few.heads * headSize,
      tokenSlots: [0, 1, 1, 0, 1],
      positions: [1099, 40, 41, 1001, 77],
    };
    return [
      { name: "scores of 100", shape: far, fills: { q: { kind: "uniform", scale: 100 } } },
      { name: "far positions", shape: far },
      { name: "a window", shape: { ...far, window: 7 } },
    ];
  },
});
