import { GEMV_TOKENS } from "../kernels/matmul.ts";
import { elementBytes } from "../kernels/kernel.ts";
import { attentionModule, embeddingModule, ffnModule, lmHeadModule } from "../kernels/modules.ts";
import { type Operation, operation } from "../kernels/operation.ts";
import { KERNELS } from "../kernels/registry.ts";
import type { ModelShape } from "./shape.ts";
import { type ShardSizes, shardSizes, type ShardWork } from "./shard_sizes.ts";

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
  embedding: { isModule, operations: ({ vocab }) => embeddingModule(vocab) },
  attention: {
    isModule,
    usesContext,
    needsPositions: true,
    operations: ({ attention }) => attentionModule(attention),
  },
  ffn: { isModule, operations: ({ ffn }) => ffnModule(ffn) },
  lm_head: { isModule, operations: ({ vocab }) => lmHeadModule(vocab) },
  cached_attention: {
    usesContext,
    operations: ({ attention: { tokens, heads, kvHeads, headSize, context, window } }) => {
      const cache = { tokens, kvHeads, headSize, maxNumSeqs: 1, context };
      const own = { ...cache, heads, qColumns: heads * headSize };
      return [operation(KERNELS.attention, window === undefined ? own : { ...own, window })];
    },
  },
  rms_norm: {
    operations: ({ base: { tokens, hidden }, model }) => [
      operation(KERNELS.rms_norm, { tokens, hidden, epsilon: model.rmsNormEps, residual: true }),
    ],
  },
  rope: {
    usesContext,
    operations: ({ attention }) => {
      const { tokens, heads, kvHeads, headSize, context, theta, scaling } = attention;
      const xColumns = (heads + 2 * kvHeads) * headSize;
      const own = { tokens, heads: heads + kvHeads, headSize, xColumns, context, theta, scaling };
      return [operation(KERNELS.rope, own)];
    },
  },
  gemm: { operations: (sizes) => [operation(KERNELS.gemm, upMatmul(sizes))] },
  gemv: {
    maxTokens: GEMV_TOKENS,
    operations: (sizes) => [operation(KERNELS.gemv, upMatmul(sizes))],
  },
  softmax: {
    usesContext,
    operations: ({ attention: { tokens, heads, context } }) => [
      operation(KERNELS.softmax, { rows: tokens * heads, columns: context }),
    ],
  },
  activation: {
    operations: ({ ffn: { tokens, ffn, gated, activation } }) => [
      operation(KERNELS.activation, { tokens, columns: ffn, gated, activation }),
    ],
  },
  add: {
    operations: ({ base: { tokens, hidden } }) => [
      operation(KERNELS.add, { tokens, columns: hidden }),
    ],
  },
  argmax: {
    operations: ({ vocab: { tokens, rows } }) => [
      operation(KERNELS.argmax, { rows: tokens, columns: Math.max(1, rows) }),
    ],
  },
} satisfies Readonly<Record<string, KernelOpRecord>>;

/** The name of an op of the kernels suite. */
export type KernelOp = keyof typeof RECORDS;

/** Every op of the kernels suite by its name: modules first, then single kernels. */
export const KERNEL_OPS: Readonly<Record<KernelOp, KernelOpRecord>> = RECORDS;

/** The independent variables of a measurement, but for the variant and the mode. */
export interface KernelCase extends ShardWork {
  readonly op: KernelOp;
}

/**
 * The operations of a case; weights wider than a binding are cut into column blocks.
 * @throws {RangeError} where the tensor parallel size does not cut the model.
 */
export function caseOperations(
  { op, ...work }: KernelCase,
  model: ModelShape,
  maxStorageBufferBindingSize: number,
): readonly Operation[] {
  return KERNEL_OPS[op].operations(shardSizes(model, work, maxStorageBufferBindingSize));
}

/** Names of the variants of ops' kernels for some numbers of tokens, and `best`. */
export function variantNames(
  ops: readonly KernelOp[],
  { model, tokens }: { readonly model: ModelShape; readonly tokens: readonly number[] },
): readonly string[] {
  const whole = { dtype: "float32", tensorParallelSize: 1, tensorParallelRank: 0 } as const;
  // More tokens than these choose no other kernel, and take long to list.
  const counts = [...new Set(tokens.map((count) => Math.min(count, GEMV_TOKENS + 1)))];
  const operations = ops.flatMap((op) =>
    counts.filter((count) => count <= (KERNEL_OPS[op].maxTokens ?? Infinity)).flatMap((count) =>
      caseOperations({ op, ...whole, tokens: count, context: count }, model, Infinity)
    )
  );
  return [
    ...new Set(["best", ...operations.flatMap(({ variants }) => variants.map((v) => v.name))]),
  ];
}

/** The FFN's up matrix as a matmul, or as much of it as one binding holds. */
function upMatmul({ ffn: shape }: ShardSizes) {
  const { tokens, hidden, dtype, ffn, maxStorageBufferBindingSize } = shape;
  const most = Math.floor(maxStorageBufferBindingSize / hidden / elementBytes(dtype) / 4) * 4;
  return { tokens, k: hidden, columns: Math.min(ffn, most), dtype };
}
