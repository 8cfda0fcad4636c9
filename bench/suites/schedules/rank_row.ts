import type { SizedRank } from "../../../model/replicas.ts";
import { csvHeader, csvLines } from "../../../records/rows/csv_text.ts";
import { RANK_COLUMNS, type RankRow } from "../../../records/rows/rank_columns.ts";

/** A rank as a row of ranks.csv. */
export function rankRow(rank: SizedRank): RankRow {
  const { layers, heads, vocab, memory, allocated, layout } = rank;
  return {
    rank: rank.rank,
    data_parallel_rank: rank.dataParallelRank,
    pipeline_parallel_rank: rank.pipelineParallelRank,
    tensor_parallel_rank: rank.tensorParallelRank,
    first_layer: layers.start,
    last_layer: layers.end - 1,
    query_heads: heads.queryEnd - heads.queryStart,
    kv_heads: heads.kvEnd - heads.kvStart,
    kv_head_replicas: heads.kvHeadReplicas,
    vocab_start: vocab.start,
    vocab_end: vocab.end,
    vocab_padding: vocab.padding,
    tensor_parallel_group: rank.tensorParallel.join(" "),
    pipeline_parallel_group: rank.pipelineParallel.join(" "),
    data_parallel_group: rank.dataParallel.join(" "),
    weight_bytes_predicted: memory.weightBytes,
    weight_bytes_allocated: allocated?.weightBytes,
    kv_cache_bytes_predicted: memory.kvCacheBytes,
    kv_cache_bytes_allocated: allocated?.kvCacheBytes,
    tensor_parallel_size: layout.tensorParallelSize,
    pipeline_parallel_size: layout.pipelineParallelSize,
    data_parallel_size: layout.dataParallelSize,
    layout_order: layout.order,
  };
}

/** The text of ranks.csv; allocated bytes are blank where nothing ran. */
export function ranksCsv(ranks: readonly SizedRank[]): string {
  return csvHeader(RANK_COLUMNS) + csvLines(RANK_COLUMNS, ranks.map(rankRow));
}
