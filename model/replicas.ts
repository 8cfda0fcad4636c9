import type { ModelShape } from "./shape.ts";
import { type Layout, splitLayers } from "../parallel/layout.ts";
import { type RankEntry, rankTable } from "../parallel/rank_table.ts";
import { type StageMemory, stageMemory } from "./stage_memory.ts";
import type { Stage } from "./stage_program.ts";

/** A rank of a replica. */
export interface PoolRank {
  /** Its number in the layout. */
  readonly globalRank: number;
  readonly stage: Stage;
}

/** What stages need besides their place. */
export type CacheConfig = Pick<
  Stage,
  "dtype" | "maxNumSeqs" | "maxModelLen" | "maxNumBatchedTokens" | "maxStorageBufferBindingSize"
>;

/**
 * The ranks of a layout: by replica, by stage, by tensor parallel rank. `layers` says how many each
 * stage has, where it is not vLLM's even split.
 * @throws {RangeError} with the rule that a size breaks.
 */
export function replicaRanks(
  model: ModelShape,
  layout: Layout,
  { layers, ...cacheConfig }: CacheConfig & { readonly layers?: readonly number[] | undefined },
): readonly (readonly (readonly PoolRank[])[])[] {
  const { tensorParallelSize, pipelineParallelSize, dataParallelSize } = layout;
  const ranges = splitLayers(model.layers, pipelineParallelSize, layers);
  const replicas = Array.from(
    { length: dataParallelSize },
    () => Array.from({ length: pipelineParallelSize }, () => [] as PoolRank[]),
  );
  for (const entry of rankTable(model, layout)) {
    const { pipelineParallelRank, tensorParallelRank } = entry;
    const { start, end } = ranges[pipelineParallelRank]!;
    replicas[entry.dataParallelRank]![pipelineParallelRank]![tensorParallelRank] = {
      globalRank: entry.rank,
      stage: {
        ...cacheConfig,
        model,
        firstLayer: start,
        endLayer: end,
        tensorParallelSize,
        tensorParallelRank,
      },
    };
  }
  return replicas;
}

/** A rank of a layout with the memory that it takes. */
export interface SizedRank extends RankEntry {
  readonly layout: Layout;
  readonly memory: StageMemory;
  /** What was really allocated, where it ran. */
  readonly allocated?: { readonly weightBytes: number; readonly kvCacheBytes: number } | undefined;
}

/**
 * Every rank of a layout, with its predicted memory.
 * @throws {RangeError} with the rule that a size breaks.
 */
export function sizedRanks(
  model: ModelShape,
  layout: Layout,
  cacheConfig: CacheConfig & { readonly layers?: readonly number[] | undefined },
): readonly SizedRank[] {
  const memories = new Map<string, StageMemory>();
  const stages: Stage[] = [];
  for (const { globalRank, stage } of replicaRanks(model, layout, cacheConfig).flat(2)) {
    stages[globalRank] = stage;
  }
  return rankTable(model, layout).map((entry) => {
    const stage = stages[entry.rank]!;
    const key = `${entry.tensorParallelRank} ${entry.pipelineParallelRank}`;
    const memory = memories.get(key) ?? stageMemory(stage);
    memories.set(key, memory);
    const layers = { start: stage.firstLayer, end: stage.endLayer };
    return { ...entry, layers, layout, memory };
  });
}
