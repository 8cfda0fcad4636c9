import { stringify } from "@std/csv";
import type { WeightDType } from "../kernels/kernel.ts";
import type { ModelShape } from "../model/shape.ts";
import { type StageMemory, stageMemory } from "../model/stage_memory.ts";
import type { Layout } from "../parallel/layout.ts";
import { type RankEntry, rankTable } from "../parallel/rank_table.ts";

/** A rank of a layout with the memory that it takes. */
export interface SizedRank extends RankEntry {
  readonly memory: StageMemory;
}

/** What decides the memory of ranks besides model and layout. */
export interface RankRoom {
  readonly dtype: WeightDType;
  readonly slots: number;
  readonly context: number;
  readonly maxTokens: number;
  readonly bindingBytes: number;
}

/** Every rank of a layout, with its predicted memory. RangeError where the layout is illegal. */
export function sizedRanks(
  model: ModelShape,
  layout: Layout,
  room: RankRoom,
): readonly SizedRank[] {
  const memories = new Map<string, StageMemory>();
  return rankTable(model, layout).map((entry) => {
    const key = `${entry.tensorParallelRank} ${entry.pipelineParallelRank}`;
    const memory = memories.get(key) ?? stageMemory({
      ...room,
      model,
      firstLayer: entry.layers.start,
      endLayer: entry.layers.end,
      tensorParallelSize: layout.tensorParallelSize,
      rank: entry.tensorParallelRank,
    });
    memories.set(key, memory);
    return { ...entry, memory };
  });
}

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
    ["weight_bytes_allocated", () => ""],
    ["kv_cache_bytes_predicted", (r) => r.memory.kvCacheBytes],
    ["kv_cache_bytes_allocated", () => ""],
  ];

/** The text of ranks.csv; allocated bytes are blank, since nothing ran. */
export function ranksCsv(ranks: readonly SizedRank[]): string {
  return stringify([
    COLUMNS.map(([header]) => header),
    ...ranks.map((rank) => COLUMNS.map(([, cell]) => cell(rank))),
  ]);
}
