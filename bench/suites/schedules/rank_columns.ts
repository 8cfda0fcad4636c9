import { stringify } from "@std/csv";
import type { SizedRank } from "../../../model/replicas.ts";

const COLUMNS: readonly (readonly [header: string, cell: (rank: SizedRank) => string | number])[] =
  [
    ["rank", (r) => r.rank],
    ["data_parallel_rank", (r) => r.dataParallelRank],
    ["pipeline_parallel_rank", (r) => r.pipelineParallelRank],
    ["tensor_parallel_rank", (r) => r.tensorParallelRank],
    ["first_layer", (r) => r.layers.start],
    ["last_layer", (r) => r.layers.end - 1],
    ["query_heads", (r) => r.heads.queryEnd - r.heads.queryStart],
    ["kv_heads", (r) => r.heads.kvEnd - r.heads.kvStart],
    ["kv_head_replicas", (r) => r.heads.kvHeadReplicas],
    ["vocab_start", (r) => r.vocab.start],
    ["vocab_end", (r) => r.vocab.end],
    ["vocab_padding", (r) => r.vocab.padding],
    ["tensor_parallel_group", (r) => r.tensorParallel.join(" ")],
    ["pipeline_parallel_group", (r) => r.pipelineParallel.join(" ")],
    ["data_parallel_group", (r) => r.dataParallel.join(" ")],
    ["weight_bytes_predicted", (r) => r.memory.weightBytes],
    ["weight_bytes_allocated", (r) => r.allocated?.weightBytes ?? ""],
    ["kv_cache_bytes_predicted", (r) => r.memory.kvCacheBytes],
    ["kv_cache_bytes_allocated", (r) => r.allocated?.kvCacheBytes ?? ""],
    ["tensor_parallel_size", (r) => r.layout.tensorParallelSize],
    ["pipeline_parallel_size", (r) => r.layout.pipelineParallelSize],
    ["data_parallel_size", (r) => r.layout.dataParallelSize],
    ["layout_order", (r) => r.layout.order],
  ];

/** The text of ranks.csv; allocated bytes are blank where nothing ran. */
export function ranksCsv(ranks: readonly SizedRank[]): string {
  return stringify([
    COLUMNS.map(([header]) => header),
    ...ranks.map((rank) => COLUMNS.map(([, cell]) => cell(rank))),
  ]);
}
