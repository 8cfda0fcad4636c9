import { type Column, count, makeColumns, type RowOf, text } from "./column.ts";

const TEXTS = {
  rank: count("The rank, among all of its layout", { key: true }),
  data_parallel_rank: count("Its replica"),
  pipeline_parallel_rank: count("Its stage"),
  tensor_parallel_rank: count("Its part of every layer of the stage"),
  first_layer: count("The first of its layers"),
  last_layer: count("The last of its layers, itself included"),
  query_heads: count("Query heads that it has"),
  kv_heads: count("Key and value heads that it has"),
  kv_head_replicas: count("Ranks that have the same key and value heads"),
  vocab_start: count("Its first row of the vocabulary"),
  vocab_end: count("Where its rows end, the first one that it has not"),
  vocab_padding: count("Rows of them that only fill up"),
  tensor_parallel_group: text("Ranks that share its layers"),
  pipeline_parallel_group: text("Ranks that hand hidden states on"),
  data_parallel_group: text("Ranks that have the same weights"),
  weight_bytes_predicted: count("Bytes of weights by arithmetic", { unit: "B" }),
  weight_bytes_allocated: count("Bytes of weights on the adapter; blank where nothing ran", {
    unit: "B",
  }),
  kv_cache_bytes_predicted: count("Bytes of KV cache by arithmetic", { unit: "B" }),
  kv_cache_bytes_allocated: count("Bytes of KV cache on the adapter; blank where nothing ran", {
    unit: "B",
  }),
  tensor_parallel_size: count("Ranks that share every layer", { key: true }),
  pipeline_parallel_size: count("Stages of layers", { key: true }),
  data_parallel_size: count("Replicas of the model", { key: true }),
  layout_order: text("How ranks are numbered", { key: true }),
};

/** The columns of ranks.csv. */
export const RANK_COLUMNS: readonly Column[] = makeColumns(TEXTS);

/** A line of ranks.csv. */
export type RankRow = RowOf<typeof TEXTS>;
