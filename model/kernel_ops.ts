import { elementBytes, type WeightDType } from "../kernels/kernel.ts";
import {
  attentionModule,
  embeddingModule,
  ffnModule,
  lmHeadModule,
  type ModuleShape,
} from "../kernels/modules.ts";
import { GEMV_TOKENS } from "../kernels/gemv.ts";
import { type Operation, operation } from "../kernels/operation.ts";
import { KERNELS } from "../kernels/registry.ts";
import { ffnShard, headShard, vocabShard } from "../parallel/shard.ts";
import type { ModelShape } from "./shape.ts";

/** What a rank's shard of a model is measured for. */
interface ShardCase {
  readonly dtype: WeightDType;
  readonly tensorParallelSize: number;
  readonly tensorParallelRank: number;
  /** T, new tokens. */
  readonly tokens: number;
  /** S, positions that attention sees. */
  readonly context: number;
}

/** The sizes that a case's operations are made of: a rank's shard of the model. */
interface ShardSizes extends ModuleShape {
  readonly model: ModelShape;
  readonly context: number;
  /** Query heads and kv heads of the rank. */
  readonly heads: number;
  readonly kvHeads: number;
  /** F of the rank. */
  readonly ffn: number;
  /** Ids of the rank. */
  readonly vocabStart: number;
  readonly vocabRows: number;
}

/** An op of the kernels suite. */
export interface KernelOpRecord {
  /** What is run, in order. */
  readonly operations: (sizes: ShardSizes) => readonly Operation[];
  /** Whether it is a rank's shard of a module, whose kernels are varied together. */
  readonly isModule?: true;
  /** Whether its work depends on the context; if not, one context is enough. */
  readonly usesContext?: true;
  /** Whether tokens and context must be positions that the model has. */
  readonly needsPositions?: true;
  /** Cases of more tokens are left out. */
  readonly maxTokens?: number;
}

const isModule = true;
const usesContext = true;

const RECORDS = {
  embedding: {
    isModule,
    operations: (s) => embeddingModule({ ...s, ...vocabOf(s) }),
  },
  attention: {
    isModule,
    usesContext,
    needsPositions: true,
    operations: (s) =>
      attentionModule({
        ...s,
        headSize: s.model.headSize,
        ...anglesOf(s),
        window: s.model.slidingWindow,
        bias: s.model.attentionBias,
      }),
  },
  ffn: {
    isModule,
    operations: (s) => ffnModule({ ...s, ...activationOf(s) }),
  },
  lm_head: {
    isModule,
    operations: (s) => lmHeadModule({ ...s, ...vocabOf(s) }),
  },
  cached_attention: {
    usesContext,
    operations: ({ tokens, heads, kvHeads, context, model: { headSize } }) => {
      const cache = { tokens, kvHeads, headSize, maxNumSeqs: 1, context };
      return [operation(KERNELS.attention, { ...cache, heads, qColumns: heads * headSize })];
    },
  },
  rms_norm: {
    operations: ({ tokens, hidden, model }) => [
      operation(KERNELS.rms_norm, { tokens, hidden, epsilon: model.rmsNormEps, residual: true }),
    ],
  },
  rope: {
    usesContext,
    operations: (s) => {
      const { tokens, heads, kvHeads, model: { headSize } } = s;
      const xColumns = (heads + 2 * kvHeads) * headSize;
      const own = { tokens, heads: heads + kvHeads, headSize, xColumns, ...anglesOf(s) };
      return [operation(KERNELS.rope, own)];
    },
  },
  gemm: { operations: (s) => [operation(KERNELS.gemm, upMatmul(s))] },
  gemv: {
    maxTokens: GEMV_TOKENS,
    operations: (s) => [operation(KERNELS.gemv, upMatmul(s))],
  },
  softmax: {
    usesContext,
    operations: ({ tokens, heads, context }) => [
      operation(KERNELS.softmax, { rows: tokens * heads, columns: context }),
    ],
  },
  activation: {
    operations: (s) => [
      operation(KERNELS.activation, { tokens: s.tokens, columns: s.ffn, ...activationOf(s) }),
    ],
  },
  add: {
    operations: ({ tokens, hidden }) => [operation(KERNELS.add, { tokens, columns: hidden })],
  },
  argmax: {
    operations: ({ tokens, vocabRows }) => [
      operation(KERNELS.argmax, { rows: tokens, columns: Math.max(1, vocabRows) }),
    ],
  },
} satisfies Readonly<Record<string, KernelOpRecord>>;

/** The name of an op of the kernels suite. */
export type KernelOp = keyof typeof RECORDS;

/** Every op of the kernels suite by its name: modules first, then single kernels. */
export const KERNEL_OPS: Readonly<Record<KernelOp, KernelOpRecord>> = RECORDS;

/** The independent variables of a measurement, but for the variant and the mode. */
export interface KernelCase extends ShardCase {
  readonly op: KernelOp;
}

/**
 * The operations of a case; weights wider than a binding are cut into column blocks.
 * @throws {RangeError} where the tensor parallel size does not cut the model.
 */
export function caseOperations(
  { op, tensorParallelSize, tensorParallelRank, ...rest }: KernelCase,
  model: ModelShape,
  maxStorageBufferBindingSize: number,
): readonly Operation[] {
  const cut = { ...model, tensorParallelSize, tensorParallelRank };
  const [heads, ffn, vocab] = [headShard(cut), ffnShard(cut), vocabShard(cut)];
  return KERNEL_OPS[op].operations({
    ...rest,
    model,
    hidden: model.hidden,
    maxStorageBufferBindingSize,
    heads: heads.queryEnd - heads.queryStart,
    kvHeads: heads.kvEnd - heads.kvStart,
    ffn: ffn.end - ffn.start,
    vocabStart: vocab.start,
    vocabRows: vocab.end - vocab.start,
  });
}

function vocabOf({ model, vocabStart, vocabRows }: ShardSizes) {
  return { vocab: model.vocab, vocabStart, rows: vocabRows };
}

function anglesOf({ model, context }: ShardSizes) {
  return { context, theta: model.ropeTheta, scaling: model.ropeScaling };
}

function activationOf({ model }: ShardSizes) {
  return { gated: model.ffnKind === "gated", activation: model.activation };
}

/** The FFN's up matrix as a product, or as much of it as one binding holds. */
function upMatmul({ tokens, hidden, dtype, ffn, maxStorageBufferBindingSize }: ShardSizes) {
  const most = Math.floor(maxStorageBufferBindingSize / hidden / elementBytes(dtype) / 4) * 4;
  return { tokens, k: hidden, columns: Math.min(ffn, most), dtype };
}
