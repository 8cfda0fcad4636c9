import type { ModelShape } from "./shape.ts";
import { type Layout, splitLayers } from "../parallel/layout.ts";
import { type RankEntry, rankTable } from "../parallel/rank_table.ts";
import { type StageMemory, stageMemory } from "./stage_memory.ts";
import type { CacheConfig, Stage } from "./stage_program.ts";

/** A rank of a replica. */
export interface PoolRank {
  /** Its number in the layout. */
  readonly globalRank: number;
  readonly stage: Stage;
}

/** What the stages of a layout need: `layers` of each, where they are not vLLM's even split. */
export type StageOptions = CacheConfig & { readonly layers?: readonly number[] | undefined };

/**
 * The ranks of a layout: by replica, by stage, by tensor parallel rank.
 * @throws {RangeError} with the rule that a size breaks.
 */
export function replicaRanks(
  model: ModelShape,
  layout: Layout,
  { layers, ...cacheConfig }: StageOptions,
): readonly (readonly (readonly PoolRank[])[])[] {
  const { tensorParallelSize, pipelineParallelSize, dataParallelSize } = layout;
  const ranges = splitLayers(model.layers, pipelineParallelSize, layers);
  const replicas = Array.from(
    { length: dataParallelSize },
    () => ranges.map(() => [] as PoolRank[]),
  );
  for (const entry of rankTable(model, layout)) {
    const { rank: globalRank, pipelineParallelRank, tensorParallelRank } = entry;
    const { start: firstLayer, end: endLayer } = ranges[pipelineParallelRank]!;
    const cut = { tensorParallelSize, tensorParallelRank };
    const stage = { ...cacheConfig, ...cut, model, firstLayer, endLayer };
    const ranks = replicas[entry.dataParallelRank]![pipelineParallelRank]!;
    ranks[tensorParallelRank] = { globalRank, stage };
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
  options: StageOptions,
): readonly SizedRank[] {
  // Replicas are alike.
  const sizes = replicaRanks(model, layout, options)[0]!.map((ranks) =>
    ranks.map(({ stage }) => ({
      layers: { start: stage.firstLayer, end: stage.endLayer },
      memory: stageMemory(stage),
    }))
  );
  return rankTable(model, layout).map((entry) => ({
    ...entry,
    ...sizes[entry.pipelineParallelRank]![entry.tensorParallelRank]!,
    layout,
  }));
}
