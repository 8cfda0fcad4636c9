import type { ModelShape } from "./shape.ts";
import { type Layout, splitLayers } from "../parallel/layout.ts";
import { rankTable } from "../parallel/rank_table.ts";
import type { Stage } from "./stage_program.ts";
import type { PoolRank } from "../runtime/rank_pool.ts";

/** What stages need besides their place. */
export type StageRoom = Pick<Stage, "dtype" | "slots" | "context" | "maxTokens" | "bindingBytes">;

/**
 * The ranks of a layout: by replica, by stage, by tensor parallel rank. `layers` says how many each
 * stage has, where it is not vLLM's even split.
 * @throws {RangeError} with the rule that a size breaks.
 */
export function replicaRanks(
  model: ModelShape,
  layout: Layout,
  { layers, ...room }: StageRoom & { readonly layers?: readonly number[] | undefined },
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
      number: entry.rank,
      stage: {
        ...room,
        model,
        firstLayer: start,
        endLayer: end,
        tensorParallelSize,
        rank: tensorParallelRank,
      },
    };
  }
  return replicas;
}
