import { float32, type Tensor } from "../kernels/kernel.ts";
import { columnBlocks } from "../kernels/modules.ts";
import { weightTensors } from "../kernels/weight.ts";
import { ffnShard, headShard, vocabShard } from "../parallel/shard.ts";
import type { ModelShape } from "./shape.ts";
import { type Stage, stageEnds } from "./stage_program.ts";

/** A tensor of a checkpoint; a vector has one row. */
export interface CheckpointTensor {
  /** Its Hugging Face name. */
  readonly name: string;
  /** Output features, or rows of the embedding; 1 for a vector. */
  readonly rows: number;
  /** Input features; the length of a vector. */
  readonly columns: number;
  readonly role: "embedding" | "head" | "matrix" | "norm" | "bias";
}

/** A range of rows and columns of a checkpoint's tensor; rows past its end are zeros. */
export interface WeightRange {
  readonly tensor: CheckpointTensor;
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly columnStart: number;
  readonly columnEnd: number;
}

/** One weight of a stage as the device stores it, and where its numbers come from. */
export interface StageWeight {
  /** Its joint name in the stage's program; the scales of int8 are at `<name>.scale`. */
  readonly name: string;
  readonly tensor: Tensor;
  /** The tensor of the scales; int8 only. */
  readonly scale: Tensor | undefined;
  /**
   * transposed: the rows of the ranges, one after another, are columns here. plain: rows are rows.
   * vector: the ranges, one after another, are the one row.
   */
  readonly layout: "transposed" | "plain" | "vector";
  readonly ranges: readonly WeightRange[];
}

/** The tensors that a checkpoint of a model must have. */
export function checkpointTensors(model: ModelShape): readonly CheckpointTensor[] {
  const { hidden, ffn, vocab } = model;
  const tensors: CheckpointTensor[] = [
    { name: "model.embed_tokens.weight", rows: vocab, columns: hidden, role: "embedding" },
  ];
  const add = (name: string, rows: number, columns: number, role: CheckpointTensor["role"]) =>
    tensors.push({ name, rows, columns, role });
  const q = model.heads * model.headSize;
  const kv = model.kvHeads * model.headSize;
  for (let layer = 0; layer < model.layers; layer++) {
    const at = `model.layers.${layer}`;
    add(`${at}.input_layernorm.weight`, 1, hidden, "norm");
    for (const [name, rows] of [["q", q], ["k", kv], ["v", kv]] as const) {
      add(`${at}.self_attn.${name}_proj.weight`, rows, hidden, "matrix");
      if (model.attentionBias) add(`${at}.self_attn.${name}_proj.bias`, 1, rows, "bias");
    }
    add(`${at}.self_attn.o_proj.weight`, hidden, q, "matrix");
    add(`${at}.post_attention_layernorm.weight`, 1, hidden, "norm");
    if (model.ffnKind === "gated") add(`${at}.mlp.gate_proj.weight`, ffn, hidden, "matrix");
    add(`${at}.mlp.up_proj.weight`, ffn, hidden, "matrix");
    add(`${at}.mlp.down_proj.weight`, hidden, ffn, "matrix");
  }
  add("model.norm.weight", 1, hidden, "norm");
  if (!model.tiedEmbeddings) add("lm_head.weight", vocab, hidden, "head");
  return tensors;
}

/**
 * The weights of a stage, cut as its rank owns them. Tied embeddings are stored twice where a stage
 * has both ends: rows for the lookup, columns for the head.
 */
export function stageWeights(stage: Stage): readonly StageWeight[] {
  const { model } = stage;
  const known = new Map(checkpointTensors(model).map((tensor) => [tensor.name, tensor]));
  const tensor = (name: string) => known.get(name)!;
  const { isFirst, isLast } = stageEnds(stage);
  const vocab = vocabShard({ ...stage, vocab: model.vocab });
  const own = (table: CheckpointTensor) =>
    ofRows(all(table), vocab.start, vocab.end + vocab.padding);
  const table = tensor("model.embed_tokens.weight");
  const weights: StageWeight[] = [];
  if (isFirst) weights.push(...embeddingWeights(stage, own(table)));
  for (let layer = stage.firstLayer; layer < stage.endLayer; layer++) {
    weights.push(...layerWeights(stage, layer, tensor));
  }
  if (isLast) {
    const head = model.tiedEmbeddings ? table : tensor("lm_head.weight");
    weights.push(vector("weights.norm", [all(tensor("model.norm.weight"))]));
    weights.push(...matrix(stage, "weights.head_weight", [own(head)]));
  }
  return weights;
}

function all(tensor: CheckpointTensor): WeightRange {
  return { tensor, rowStart: 0, rowEnd: tensor.rows, columnStart: 0, columnEnd: tensor.columns };
}

function ofRows(range: WeightRange, rowStart: number, rowEnd: number): WeightRange {
  return { ...range, rowStart, rowEnd };
}

function ofColumns(range: WeightRange, columnStart: number, columnEnd: number): WeightRange {
  return { ...range, columnStart, columnEnd };
}

function layerWeights(
  stage: Stage,
  layer: number,
  tensor: (name: string) => CheckpointTensor,
): readonly StageWeight[] {
  const { model } = stage;
  const to = (name: string) => `weights.layers.${layer}.${name}`;
  const from_ = (name: string) => all(tensor(`model.layers.${layer}.${name}`));
  const D = model.headSize;
  const heads = headShard({ ...stage, heads: model.heads, kvHeads: model.kvHeads });
  const queries = [heads.queryStart * D, heads.queryEnd * D] as const;
  const kvs = [heads.kvStart * D, heads.kvEnd * D] as const;
  const qkv = [["q_proj", queries], ["k_proj", kvs], ["v_proj", kvs]] as const;
  const ffn = ffnShard({ ...stage, ffn: model.ffn });
  const isGated = model.ffnKind === "gated";
  const ups = isGated ? ["gate_proj", "up_proj"] : ["up_proj"];
  const weights = qkv.map(([name, own]) => ofRows(from_(`self_attn.${name}.weight`), ...own));
  const biases = model.attentionBias
    ? qkv.map(([name, own]) => ofColumns(from_(`self_attn.${name}.bias`), ...own))
    : [];
  return [
    vector(to("input_norm"), [from_("input_layernorm.weight")]),
    ...matrix(stage, to("qkv_weight"), weights),
    ...(biases.length > 0 ? [vector(to("qkv_bias"), biases)] : []),
    ...matrix(stage, to("o_weight"), [ofColumns(from_("self_attn.o_proj.weight"), ...queries)]),
    vector(to("post_attention_norm"), [from_("post_attention_layernorm.weight")]),
    ...matrix(
      stage,
      to(isGated ? "gate_up_weight" : "up_weight"),
      ups.map((name) => ofRows(from_(`mlp.${name}.weight`), ffn.start, ffn.end)),
    ),
    ...matrix(stage, to("down_weight"), [
      ofColumns(from_("mlp.down_proj.weight"), ffn.start, ffn.end),
    ]),
  ];
}

function vector(name: string, ranges: readonly WeightRange[]): StageWeight {
  const columns = ranges.reduce((sum, range) => sum + range.columnEnd - range.columnStart, 0);
  const tensor = float32(1, columns);
  return { name, tensor, scale: undefined, layout: "vector", ranges };
}

/** A matmul's weight in the column blocks of its operations. */
function matrix(
  stage: Stage,
  name: string,
  ranges: readonly WeightRange[],
): readonly StageWeight[] {
  const rows = ranges[0]!.columnEnd - ranges[0]!.columnStart;
  const columns = ranges.reduce((sum, range) => sum + range.rowEnd - range.rowStart, 0);
  return inBlocks(stage, { name, rows, columns }, (start, end) => ({
    layout: "transposed",
    ranges: cutRows(ranges, start, end),
  }));
}

function embeddingWeights(stage: Stage, range: WeightRange): readonly StageWeight[] {
  const size = { rows: range.rowEnd - range.rowStart, columns: range.columnEnd };
  return inBlocks(stage, { name: "weights.embedding", ...size }, (start, end) => ({
    layout: "plain",
    ranges: [ofColumns(range, start, end)],
  }));
}

/** A weight in column blocks that a shader can see, each filled with its columns `[start, end)`. */
function inBlocks(
  { dtype, maxStorageBufferBindingSize }: Stage,
  weight: { readonly name: string; readonly rows: number; readonly columns: number },
  fill: (start: number, end: number) => Pick<StageWeight, "layout" | "ranges">,
): readonly StageWeight[] {
  const { name, rows } = weight;
  const blocks = columnBlocks(weight, { dtype, maxStorageBufferBindingSize });
  return blocks.map(({ offset, columns }, i) => {
    const tensors = weightTensors({ rows, columns }, dtype);
    return {
      name: blocks.length > 1 ? `${name}.${i}` : name,
      tensor: tensors.weight,
      scale: dtype === "int8" ? tensors.scale : undefined,
      ...fill(offset, offset + columns),
    };
  });
}

/** The rows `[start, end)` of ranges that stand one below another. */
function cutRows(
  ranges: readonly WeightRange[],
  start: number,
  end: number,
): readonly WeightRange[] {
  let first = 0;
  return ranges.flatMap((range) => {
    const { rowStart, rowEnd } = range;
    const from_ = Math.max(rowStart, rowStart + start - first);
    const to = Math.min(rowEnd, rowStart + end - first);
    first += rowEnd - rowStart;
    return from_ < to ? [ofRows(range, from_, to)] : [];
  });
}
