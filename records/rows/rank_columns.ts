import { type Column, type ColumnTexts, makeColumns, type RowOf } from "./column.ts";

const TEXTS = {
  rank: { kind: "count", meaning: "The rank, among all of its layout", key: true },
  data_parallel_rank: { kind: "count", meaning: "Its replica" },
  pipeline_parallel_rank: { kind: "count", meaning: "Its stage" },
  tensor_parallel_rank: { kind: "count", meaning: "Its part of every layer of the stage" },
  first_layer: { kind: "count", meaning: "The first of its layers" },
  last_layer: { kind: "count", meaning: "The last of its layers, itself included" },
  query_heads: { kind: "count", meaning: "Query heads that it has" },
  kv_heads: { kind: "count", meaning: "Key and value heads that it has" },
  kv_head_replicas: { kind: "count", meaning: "Ranks that have the same key and value heads" },
  vocab_start: { kind: "count", meaning: "Its first row of the vocabulary" },
  vocab_end: { kind: "count", meaning: "Where its rows end, the first one that it has not" },
  vocab_padding: { kind: "count", meaning: "Rows of them that only fill up" },
  tensor_parallel_group: { kind: "text", meaning: "Ranks that share its layers" },
  pipeline_parallel_group: { kind: "text", meaning: "Ranks that hand hidden states on" },
  data_parallel_group: { kind: "text", meaning: "Ranks that have the same weights" },
  weight_bytes_predicted: { kind: "count", unit: "B", meaning: "Bytes of weights by arithmetic" },
  weight_bytes_allocated: {
    kind: "count",
    unit: "B",
    meaning: "Bytes of weights on the adapter; blank where nothing ran",
  },
  kv_cache_bytes_predicted: {
    kind: "count",
    unit: "B",
    meaning: "Bytes of KV cache by arithmetic",
  },
  kv_cache_bytes_allocated: {
    kind: "count",
    unit: "B",
    meaning: "Bytes of KV cache on the adapter; blank where nothing ran",
  },
  tensor_parallel_size: { kind: "count", meaning: "Ranks that share every layer", key: true },
  pipeline_parallel_size: { kind: "count", meaning: "Stages of layers", key: true },
  data_parallel_size: { kind: "count", meaning: "Replicas of the model", key: true },
  layout_order: { kind: "text", meaning: "How ranks are numbered", key: true },
} as const satisfies ColumnTexts;

/** The columns of ranks.csv. */
export const RANK_COLUMNS: readonly Column[] = makeColumns(TEXTS);

/** A line of ranks.csv. */
export type RankRow = RowOf<typeof TEXTS>;
