import type { WeightDType } from "../kernels/kernel.ts";
import type {
  AttentionModuleShape,
  FfnModuleShape,
  ModuleShape,
  VocabModuleShape,
} from "../kernels/modules.ts";
import { ffnShard, headShard, type TensorParallelRank, vocabShard } from "../parallel/shard.ts";
import type { ModelShape } from "./shape.ts";

/** Whose shard of a model it is, and how much it computes. */
export interface ShardWork extends TensorParallelRank {
  readonly dtype: WeightDType;
  /** T, new tokens. */
  readonly tokens: number;
  /** S, positions that attention sees. */
  readonly context: number;
}

/** The shapes of a rank's modules. */
export interface ShardSizes {
  readonly model: ModelShape;
  readonly base: ModuleShape;
  readonly attention: AttentionModuleShape;
  readonly ffn: FfnModuleShape;
  /** Of embedding and head; rows of padding left out. */
  readonly vocab: VocabModuleShape;
  /** Rows of the rank's vocabulary that are padding. */
  readonly vocabPadding: number;
}

/**
 * Cuts a model for one rank.
 * @throws {RangeError} where the tensor parallel size does not cut it.
 */
export function shardSizes(
  model: ModelShape,
  { tokens, dtype, context, ...cut }: ShardWork,
  maxStorageBufferBindingSize: number,
): ShardSizes {
  const base = { tokens, hidden: model.hidden, dtype, maxStorageBufferBindingSize };
  const heads = headShard({ ...model, ...cut });
  const ffn = ffnShard({ ...model, ...cut });
  const { start, end, padding } = vocabShard({ ...model, ...cut });
  return {
    model,
    base,
    attention: {
      ...base,
      heads: heads.queryEnd - heads.queryStart,
      kvHeads: heads.kvEnd - heads.kvStart,
      headSize: model.headSize,
      context,
      theta: model.ropeTheta,
      scaling: model.ropeScaling,
      window: model.slidingWindow,
      bias: model.attentionBias,
    },
    ffn: {
      ...base,
      ffn: ffn.end - ffn.start,
      gated: model.ffnKind === "gated",
      activation: model.activation,
    },
    vocab: { ...base, vocabStart: start, rows: end - start },
    vocabPadding: padding,
  };
}
