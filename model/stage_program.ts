export { DTYPES } from "../kernels/kernel.ts";
import { argmax } from "../kernels/argmax.ts";
import { embedding } from "../kernels/embedding.ts";
import { type Cost, NONE, type WeightDType } from "../kernels/kernel.ts";
import {
  attentionModule,
  embeddingModule,
  ffnModule,
  lmHeadModule,
  type VocabModuleShape,
} from "../kernels/modules.ts";
import { type Operation, operation } from "../kernels/operation.ts";
import { rmsNorm } from "../kernels/rms_norm.ts";
import type { TensorParallelRank } from "../parallel/shard.ts";
import type { ModelShape } from "./shape.ts";
import { type ShardSizes, shardSizes } from "./shard_sizes.ts";

/** One rank's part of a decoder: some layers, cut over a tensor parallel group. */
export interface Stage extends TensorParallelRank {
  /** Sizes of the whole model. */
  readonly model: ModelShape;
  /** Storage of the matrices; norms and biases are float32. */
  readonly dtype: WeightDType;
  /** Layers `[firstLayer, endLayer)`; the first stage has the embedding, the last the head. */
  readonly firstLayer: number;
  /** Behind the last layer. */
  readonly endLayer: number;
  /** Sequences that the KV cache holds. */
  readonly maxNumSeqs: number;
  /** Positions that the KV cache holds of each. */
  readonly maxModelLen: number;
  /** Most tokens of a batch. */
  readonly maxNumBatchedTokens: number;
  /** Largest range of a buffer that a shader can see, in bytes. */
  readonly maxStorageBufferBindingSize: number;
}

/** How much one forward pass computes. */
export interface BatchSize {
  /** T, tokens of all sequences together. */
  readonly tokens: number;
  /** Tokens whose logits are wanted; where all are, in the order of the batch. */
  readonly logitsRows: number;
}

/** What a tensor of a stage is for; its joint name starts with it, but for unused ones. */
export type TensorRole =
  | "weights"
  | "kv_cache"
  | "constant"
  | "input"
  | "state"
  | "output"
  | "unused";

interface OpPlace {
  /** What decides how many rows it works on. */
  readonly rows: keyof BatchSize;
  readonly layer: number | undefined;
}

/** A dispatch of a forward pass. */
export interface KernelOp extends OpPlace {
  readonly kind: "kernel";
  readonly operation: Operation;
  /** The roles of the operation's tensors, by own name. */
  readonly roles: Readonly<Record<string, TensorRole>>;
}

/** What all ranks of a tensor parallel group do together. */
export interface CollectiveOp extends OpPlace {
  readonly kind: "collective";
  readonly op: "all_reduce" | "all_gather";
  /** The joint name of the tensor that is reduced in place or gathered. */
  readonly tensor: string;
}

/** A step of a forward pass. */
export type StageOp = KernelOp | CollectiveOp;

/** A stage's forward pass as data: the runtime runs it, the reference computes it, sizes are its tensors'. */
export interface StageProgram {
  readonly stage: Stage;
  readonly size: BatchSize;
  readonly ops: readonly StageOp[];
}

/** Whether a stage has the embedding, and whether it has the head. */
export function stageEnds(
  { model, firstLayer, endLayer }: Pick<Stage, "model" | "firstLayer" | "endLayer">,
): { readonly isFirst: boolean; readonly isLast: boolean } {
  return { isFirst: firstLayer === 0, isLast: endLayer === model.layers };
}

/**
 * What stages need besides their place.
 * @internal
 */
export type CacheConfig = Pick<
  Stage,
  "dtype" | "maxNumSeqs" | "maxModelLen" | "maxNumBatchedTokens" | "maxStorageBufferBindingSize"
>;

/** The whole decoder on one rank. */
export function wholeDecoder(model: ModelShape, rest: CacheConfig): Stage {
  const alone = { tensorParallelSize: 1, tensorParallelRank: 0 };
  return { ...rest, ...alone, model, firstLayer: 0, endLayer: model.layers };
}

/**
 * The forward pass of a stage for a size of batch; where its tokens stand decides what attention costs.
 *
 * Inputs are `input.ids` [T], `input.positions` [T], `input.slots` [T] and, where not every token is
 * sampled, `input.logits_indices` (rows of the batch); a later stage starts from `state.delta` and
 * `state.residual_a`, both [T, H], which every stage but the last leaves. The last one leaves
 * `output.logits` [rows, P/tp] and, where its rank has the whole vocabulary, `output.token_ids`
 * [rows].
 */
export function stageProgram(
  stage: Stage,
  size: BatchSize,
  places?: { readonly positions: readonly number[]; readonly slots: readonly number[] },
): StageProgram {
  const { isFirst, isLast } = stageEnds(stage);
  const { attention, ffn } = shardOf(stage, size.tokens);
  const { maxNumSeqs } = stage;
  const where = places && { positions: places.positions, tokenSlots: places.slots };
  const blocks = [
    { norm: "input_norm", operations: attentionModule({ ...attention, maxNumSeqs, ...where }) },
    { norm: "post_attention_norm", operations: ffnModule(ffn) },
  ];
  const ops: StageOp[] = [];
  let residual: string | undefined = isFirst ? undefined : "residual_a";
  if (isFirst) ops.push(...embeddingOps(stage, size));
  for (let layer = stage.firstLayer; layer < stage.endLayer; layer++) {
    for (const { operations, norm: normWeight } of blocks) {
      const norm = normOp(stage, { size, layer, residual, normWeight });
      residual = norm.residual;
      ops.push(
        ...norm.ops,
        ...kernelOps(operations, layerPlace(layer), { layer }),
        ...collective(stage, { op: "all_reduce", tensor: "state.delta", rows: "tokens", layer }),
      );
    }
  }
  if (isLast) ops.push(...headOps(stage, size, residual));
  return { stage, size, ops };
}

/** Work of each operation of a program that has rows to work on. */
export function stageCosts({ ops, size }: StageProgram): readonly Cost[] {
  return ops.flatMap((op) => op.kind === "kernel" && size[op.rows] > 0 ? [op.operation.cost] : []);
}

function shardOf(stage: Stage, tokens: number): ShardSizes {
  const work = { ...stage, tokens, context: stage.maxModelLen };
  return shardSizes(stage.model, work, stage.maxStorageBufferBindingSize);
}

/** The rank's vocabulary with the padding, which the stage's tensors have. */
function paddedVocab({ vocab, vocabPadding }: ShardSizes): VocabModuleShape {
  return { ...vocab, rows: vocab.rows + vocabPadding };
}

/** Gives a module's tensor its role and its name among those of the role. */
type Place = (joint: string) => readonly [role: TensorRole, name: string];

function kernelOps(
  operations: readonly Operation[],
  place: Place,
  about: { readonly layer?: number | undefined; readonly rows?: keyof BatchSize } = {},
): StageOp[] {
  const { layer, rows = "tokens" } = about;
  return operations.map((operation) => {
    const names: Record<string, string> = {};
    const roles: Record<string, TensorRole> = {};
    for (const [own, joint] of Object.entries(operation.names)) {
      const isUnused = operation.tensors[own] === NONE;
      const [role, name] = isUnused ? ["unused" as const, joint] : place(joint);
      names[own] = isUnused ? joint : `${role}.${name}`;
      roles[own] = role;
    }
    return { kind: "kernel", operation: { ...operation, names }, roles, rows, layer };
  });
}

/** What a group of more than one rank must do with its partial results. */
function collective({ tensorParallelSize }: Stage, op: Omit<CollectiveOp, "kind">): StageOp[] {
  return tensorParallelSize > 1 ? [{ ...op, kind: "collective" }] : [];
}

/** The tensors of a layer's modules: its own weights and cache, everything else shared. */
function layerPlace(layer: number): Place {
  return (joint) => {
    if (joint === "hidden") return ["state", "normed"];
    if (joint === "attention_out" || joint === "ffn_out") return ["state", "delta"];
    if (joint === "positions" || joint === "slots") return ["input", joint];
    if (joint === "angles") return ["constant", joint];
    if (/_cache$/.test(joint)) {
      return ["kv_cache", `layers.${layer}.${joint.replace("_cache", "")}`];
    }
    if (/_(weight|bias)\b/.test(joint)) return ["weights", `layers.${layer}.${joint}`];
    return ["state", joint];
  };
}

function embeddingOps(stage: Stage, size: BatchSize): StageOp[] {
  const operations = embeddingModule(paddedVocab(shardOf(stage, size.tokens)));
  return [
    ...kernelOps(operations, (joint) => {
      if (joint === "hidden") return ["state", "embedded"];
      return joint === "ids" ? ["input", joint] : ["weights", joint.replace(/^table/, "embedding")];
    }),
    ...collective(stage, {
      op: "all_reduce",
      tensor: "state.embedded",
      rows: "tokens",
      layer: undefined,
    }),
  ];
}

/** The norm before a block: of the embedding at the start, else of residual + delta, which is the new residual. */
function normOp(stage: Stage, at: {
  readonly size: BatchSize;
  readonly layer: number | undefined;
  readonly residual: string | undefined;
  readonly normWeight: string;
}): { readonly ops: readonly StageOp[]; readonly residual: string } {
  const { model } = stage;
  const { size, layer, residual, normWeight } = at;
  const sum = residual === "residual_a" ? "residual_b" : "residual_a";
  const weight = layer === undefined ? normWeight : `layers.${layer}.${normWeight}`;
  const joined = operation(rmsNorm, {
    tokens: size.tokens,
    hidden: model.hidden,
    epsilon: model.rmsNormEps,
    residual: residual !== undefined,
  }, {
    x: residual === undefined ? "embedded" : "delta",
    residual: residual ?? "",
    norm_weight: weight,
    out: "normed",
    sum,
  });
  const place: Place = (joint) => [joint === weight ? "weights" : "state", joint];
  // The first norm writes no sum: the embedding itself is the residual then.
  return {
    ops: kernelOps([joined], place, { layer }),
    residual: residual === undefined ? "embedded" : sum,
  };
}

/** Final norm, the sampled rows of it, their logits, and the greedy choice. */
function headOps(stage: Stage, size: BatchSize, residual: string | undefined): StageOp[] {
  const { model } = stage;
  const { tokens, logitsRows } = size;
  const shard = shardOf(stage, logitsRows);
  const vocab = paddedVocab(shard);
  const norm = normOp(stage, { size, layer: undefined, residual, normWeight: "norm" });
  const isAll = logitsRows === tokens;
  // Picking rows is a lookup in the batch's hidden states.
  const pick = operation(embedding, {
    tokens: logitsRows,
    columns: model.hidden,
    vocabStart: 0,
    rows: stage.maxNumBatchedTokens,
    dtype: "float32",
  }, { weight: "normed", ids: "logits_indices", out: "sampled" });
  const choice = operation(argmax, {
    rows: logitsRows,
    columns: vocab.rows,
    valid: Math.max(1, shard.vocab.rows),
  }, { x: "logits", out: "token_ids" });
  const rows = "logitsRows";
  const ops = [...norm.ops];
  if (!isAll) {
    const place: Place = (joint) => [joint === "logits_indices" ? "input" : "state", joint];
    ops.push(...kernelOps([pick], place, { rows }));
  }
  const headPlace: Place = (joint) => {
    if (joint === "hidden") return ["state", isAll ? "normed" : "sampled"];
    return [joint === "logits" ? "output" : "weights", joint];
  };
  ops.push(...kernelOps(lmHeadModule(vocab), headPlace, { rows }));
  if (stage.tensorParallelSize === 1) {
    ops.push(...kernelOps([choice], (joint) => ["output", joint], { rows }));
  }
  // Ranks that share the vocabulary choose together, from what they gather.
  const gather = { op: "all_gather", tensor: "output.logits", rows, layer: undefined } as const;
  return [...ops, ...collective(stage, gather)];
}
