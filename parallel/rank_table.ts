import {
  coordinateOf,
  groupsOf,
  type LayerRange,
  type Layout,
  type RankCoordinate,
  type RankGroups,
  splitLayers,
  worldSize,
} from "./layout.ts";
import {
  type CutSizes,
  type HeadShard,
  headShard,
  illegalTensorParallelSize,
  type VocabShard,
  vocabShard,
} from "./shard.ts";

/** What one rank of a layout has and whom it talks to. */
export interface RankEntry extends RankCoordinate, RankGroups {
  /** Its number in the layout. */
  readonly rank: number;
  /** Its stage's layers. */
  readonly layers: LayerRange;
  /** Its heads. */
  readonly heads: HeadShard;
  /** Its rows of the vocabulary. */
  readonly vocab: VocabShard;
}

/**
 * Every rank of a layout of a model.
 * @throws {RangeError} with the rule that a size breaks and the nearest legal ones.
 */
export function rankTable(
  model: CutSizes & { readonly layers: number },
  layout: Layout,
): readonly RankEntry[] {
  const { tensorParallelSize, pipelineParallelSize } = layout;
  const broken = illegalTensorParallelSize(model, tensorParallelSize);
  if (broken.length > 0) {
    const rules = broken.map(({ rule }) => rule).join("; ");
    throw new RangeError(
      `Cannot cut over a tensor parallel size of ${tensorParallelSize}: ${rules}; nearest legal: ${
        broken[0]!.nearest.join(" and ")
      }`,
    );
  }
  const stages = splitLayers(model.layers, pipelineParallelSize);
  return Array.from({ length: worldSize(layout) }, (_, rank) => {
    const place = coordinateOf(layout, rank);
    const cut = { tensorParallelSize, tensorParallelRank: place.tensorParallelRank };
    return {
      rank,
      ...place,
      ...groupsOf(layout, rank),
      layers: stages[place.pipelineParallelRank]!,
      heads: headShard({ ...cut, heads: model.heads, kvHeads: model.kvHeads }),
      vocab: vocabShard({ ...cut, vocab: model.vocab }),
    };
  });
}
