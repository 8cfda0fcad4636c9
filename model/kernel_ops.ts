import { elementBytes, type WeightDType } from "../kernels/kernel.ts";
import {
  attentionModule,
  embeddingModule,
  ffnModule,
  lmHeadModule,
  type ModuleShape,
} from "../kernels/modules.ts";
import { type Operation, operation } from "../kernels/operation.ts";
import { KERNELS } from "../kernels/registry.ts";
import type { ModelShape } from "./shape.ts";
import { ffnShard, headShard, vocabShard } from "../parallel/shard.ts";

/** Ops of the kernels suite that are one rank's shard of a module. */
export const MODULE_OPS = ["embedding", "attention", "ffn", "lm_head"] as const;

/** Ops of the kernels suite that are single kernels. */
export const PRIMITIVE_OPS = [
  "cached_attention",
  "rms_norm",
  "rope",
  "gemm",
  "gemv",
  "softmax",
  "activation",
  "add",
  "argmax",
] as const;

/** An op of the kernels suite. */
export type KernelOp = typeof MODULE_OPS[number] | typeof PRIMITIVE_OPS[number];

/** The independent variables of a measurement, but for the variant and the mode. */
export interface KernelCase {
  readonly op: KernelOp;
  readonly dtype: WeightDType;
  readonly tensorParallelSize: number;
  readonly tensorParallelRank: number;
  readonly tokens: number;
  readonly context: number;
}

/** The operations of a case: one rank's shard of the module, or the kernel with its shapes. */
export function caseOperations(
  case_: KernelCase,
  model: ModelShape,
  maxStorageBufferBindingSize: number,
): readonly Operation[] {
  const { op, dtype, tokens, context } = case_;
  const cut = {
    tensorParallelSize: case_.tensorParallelSize,
    tensorParallelRank: case_.tensorParallelRank,
  };
  const { hidden, headSize } = model;
  const base: ModuleShape = { tokens, hidden, dtype, maxStorageBufferBindingSize };
  const heads = () => {
    const shard = headShard({ ...cut, heads: model.heads, kvHeads: model.kvHeads });
    return { heads: shard.queryEnd - shard.queryStart, kvHeads: shard.kvEnd - shard.kvStart };
  };
  const ffn = () => {
    const shard = ffnShard({ ...cut, ffn: model.ffn });
    return shard.end - shard.start;
  };
  const vocab = () => {
    const shard = vocabShard({ ...cut, vocab: model.vocab });
    return { vocab: model.vocab, vocabStart: shard.start, rows: shard.end - shard.start };
  };
  const gated = model.ffnKind === "gated";
  switch (op) {
    case "embedding":
      return embeddingModule({ ...base, ...vocab() });
    case "attention":
      return attentionModule({
        ...base,
        ...heads(),
        headSize,
        context,
        theta: model.ropeTheta,
        scaling: model.ropeScaling,
        window: model.slidingWindow,
        bias: model.attentionBias,
      });
    case "ffn":
      return ffnModule({ ...base, ffn: ffn(), gated, activation: model.activation });
    case "lm_head":
      return lmHeadModule({ ...base, ...vocab() });
    case "rms_norm":
      return [
        operation(KERNELS.rms_norm, { tokens, hidden, epsilon: model.rmsNormEps, residual: true }),
      ];
    case "cached_attention": {
      const { heads: n, kvHeads } = heads();
      const cache = { tokens, kvHeads, headSize, maxNumSeqs: 1, context };
      return [operation(KERNELS.attention, { ...cache, heads: n, qColumns: n * headSize })];
    }
    case "rope": {
      const { heads: n, kvHeads } = heads();
      const xColumns = (n + 2 * kvHeads) * headSize;
      const angles = { context, headSize, theta: model.ropeTheta, scaling: model.ropeScaling };
      return [operation(KERNELS.rope, { tokens, heads: n + kvHeads, xColumns, ...angles })];
    }
    case "gemm":
    case "gemv":
      return [
        operation(KERNELS[op], {
          tokens,
          k: hidden,
          columns: blockColumns(ffn(), base),
          dtype,
        }),
      ];
    case "softmax":
      return [operation(KERNELS.softmax, { rows: tokens * heads().heads, columns: context })];
    case "activation":
      return [
        operation(KERNELS.activation, {
          tokens,
          columns: ffn(),
          gated,
          activation: model.activation,
        }),
      ];
    case "add":
      return [operation(KERNELS.add, { tokens, columns: hidden })];
    case "argmax":
      return [operation(KERNELS.argmax, { rows: tokens, columns: Math.max(1, vocab().rows) })];
  }
}

/** Columns of a primitive product: the FFN's up matrix, or as much of it as one binding holds. */
function blockColumns(
  columns: number,
  { hidden, dtype, maxStorageBufferBindingSize }: ModuleShape,
): number {
  return Math.min(
    columns,
    Math.floor(maxStorageBufferBindingSize / hidden / elementBytes(dtype) / 4) * 4,
  );
}
