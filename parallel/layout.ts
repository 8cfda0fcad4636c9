/** How ranks are numbered, and which of them talk to each other. */

/**
 * How ranks are numbered. vllm: tensor parallel ranks are neighbours, then pipeline stages, then
 * replicas. megatron: tensor parallel ranks, then replicas, then stages.
 */
export const ORDERS = ["vllm", "megatron"] as const;

/** Sizes of a layout. */
export interface Layout {
  /** Ranks that share every layer. */
  readonly tensorParallelSize: number;
  /** Stages that the layers are split into. */
  readonly pipelineParallelSize: number;
  /** Replicas of the whole model. */
  readonly dataParallelSize: number;
  /** How they are numbered, see {@linkcode ORDERS}. */
  readonly order: typeof ORDERS[number];
}

/** A rank's place along each way of cutting. */
export interface RankCoordinate {
  /** The replica. */
  readonly dataParallelRank: number;
  /** The stage. */
  readonly pipelineParallelRank: number;
  /** The place in the tensor parallel group. */
  readonly tensorParallelRank: number;
}

/** The ranks that a rank communicates with, itself included, in the order of their places. */
export interface RankGroups {
  /** Ranks that share its layers. */
  readonly tensorParallel: readonly number[];
  /** Ranks that have its place in the other stages. */
  readonly pipelineParallel: readonly number[];
  /** Ranks that have its place in the other replicas. */
  readonly dataParallel: readonly number[];
}

/** Ranks of a layout: TP x PP x DP. */
export function worldSize(layout: Layout): number {
  return layout.tensorParallelSize * layout.pipelineParallelSize * layout.dataParallelSize;
}

/**
 * The number of a place: dp * (PP * TP) + pp * TP + tp in vLLM's order, tp + dp * TP + pp * TP * DP in
 * Megatron's.
 * @throws {RangeError} where the place is outside the layout.
 */
export function rankAt(layout: Layout, place: RankCoordinate): number {
  const { tensorParallelSize: tp, pipelineParallelSize: pp, dataParallelSize: dp } = layout;
  const { tensorParallelRank: t, pipelineParallelRank: p, dataParallelRank: d } = place;
  for (const [name, found, size] of [["tp", t, tp], ["pp", p, pp], ["dp", d, dp]] as const) {
    if (!Number.isInteger(found) || found < 0 || found >= size) {
      throw new RangeError(`Cannot place ${name} rank "${found}": legal are 0 to ${size - 1}`);
    }
  }
  return layout.order === "vllm" ? d * pp * tp + p * tp + t : p * tp * dp + d * tp + t;
}

/**
 * The place of a rank, the inverse of {@linkcode rankAt}.
 * @throws {RangeError} where the layout has no such rank.
 */
export function coordinateOf(layout: Layout, rank: number): RankCoordinate {
  const { tensorParallelSize: tp, pipelineParallelSize: pp, dataParallelSize: dp } = layout;
  if (!Number.isInteger(rank) || rank < 0 || rank >= worldSize(layout)) {
    throw new RangeError(`Cannot place rank "${rank}": legal are 0 to ${worldSize(layout) - 1}`);
  }
  const outer = Math.floor(rank / tp);
  const tensorParallelRank = rank % tp;
  return layout.order === "vllm"
    ? {
      dataParallelRank: Math.floor(outer / pp),
      pipelineParallelRank: outer % pp,
      tensorParallelRank,
    }
    : {
      dataParallelRank: outer % dp,
      pipelineParallelRank: Math.floor(outer / dp),
      tensorParallelRank,
    };
}

/** The groups of a rank. */
export function groupsOf(layout: Layout, rank: number): RankGroups {
  const place = coordinateOf(layout, rank);
  const along = (size: number, key: keyof RankCoordinate) =>
    Array.from({ length: size }, (_, i) => rankAt(layout, { ...place, [key]: i }));
  return {
    tensorParallel: along(layout.tensorParallelSize, "tensorParallelRank"),
    pipelineParallel: along(layout.pipelineParallelSize, "pipelineParallelRank"),
    dataParallel: along(layout.dataParallelSize, "dataParallelRank"),
  };
}

/** Layers `[start, end)` of a stage. */
export interface LayerRange {
  /** The first. */
  readonly start: number;
  /** Behind the last. */
  readonly end: number;
}

/**
 * Splits layers over stages as vLLM does: evenly, the extra ones to the stages counted from the
 * second-to-last backwards. An explicit list must have a number of layers for each stage, 1 or more,
 * that sum to all.
 * @throws {RangeError} where there are more stages than layers, or the list is none of that.
 */
export function splitLayers(
  layers: number,
  stages: number,
  explicit?: readonly number[],
): readonly LayerRange[] {
  if (!Number.isInteger(stages) || stages < 1 || stages > layers) {
    throw new RangeError(
      `Cannot split ${layers} layers over ${stages} stages: legal are 1 to ${layers}`,
    );
  }
  const counts = explicit ?? evenCounts(layers, stages);
  const isWhole = counts.length === stages && counts.every((c) => Number.isInteger(c) && c >= 1);
  if (!isWhole || counts.reduce((sum, count) => sum + count, 0) !== layers) {
    throw new RangeError(
      `Cannot split ${layers} layers as ${
        counts.join(",")
      }: legal are ${stages} numbers, 1 or more, that sum to ${layers}`,
    );
  }
  let start = 0;
  return counts.map((count) => ({ start, end: start += count }));
}

function evenCounts(layers: number, stages: number): number[] {
  const counts = new Array<number>(stages).fill(Math.floor(layers / stages));
  const extra = layers % stages;
  // The last stage has the head to compute besides: it gets none.
  for (let i = 0; i < extra; i++) counts[stages - 2 - i]!++;
  return counts;
}
