/** How the vocabulary, the heads and the FFN of one layer are cut over a tensor parallel group. */

/** The vocabulary is padded to a multiple of this many rows before it is cut. */
const VOCAB_PADDING = 64;

/** The sizes of a model that tensor parallelism cuts. */
export interface CutSizes {
  /** V, rows of the embedding table. */
  readonly vocab: number;
  /** N, query heads. */
  readonly heads: number;
  /** K, key and value heads. */
  readonly kvHeads: number;
  /** F, width of the feed-forward network. */
  readonly ffn: number;
}

/** A rank's place in its tensor parallel group. */
export interface TensorParallelRank {
  /** TP. */
  readonly tensorParallelSize: number;
  /** 0 to TP - 1. */
  readonly tensorParallelRank: number;
}

/** The vocabulary rows `[start, end)` that a rank owns. */
export interface VocabShard {
  /** First row. */
  readonly start: number;
  /** Behind the last row that is no padding. */
  readonly end: number;
  /** P, the padded vocabulary of the whole group. */
  readonly padded: number;
  /** Rows of this rank's shard that are padding; the shard has `end - start + padding` rows. */
  readonly padding: number;
}

/** The heads that a rank computes: query heads `[queryStart, queryEnd)`, kv heads `[kvStart, kvEnd)`. */
export interface HeadShard {
  /** First query head. */
  readonly queryStart: number;
  /** Behind the last query head. */
  readonly queryEnd: number;
  /** First key and value head. */
  readonly kvStart: number;
  /** Behind the last key and value head. */
  readonly kvEnd: number;
  /** How many ranks keep a copy of each of these kv heads; 1 where none is replicated. */
  readonly kvHeadReplicas: number;
}

/** The columns `[start, end)` of the up (and gate) matrix, and rows of the down matrix, of a rank. */
export interface FfnShard {
  readonly start: number;
  readonly end: number;
}

/** A rule that a tensor parallel size breaks, and the nearest sizes that break none. */
export interface BrokenCutRule {
  readonly rule: string;
  readonly found: number;
  /** The nearest legal size below and above, as far as they exist. */
  readonly nearest: readonly number[];
}

/** Rounds a vocabulary up to the multiple of {@linkcode VOCAB_PADDING} that is cut. */
export function padVocab(vocab: number): number {
  return Math.ceil(vocab / VOCAB_PADDING) * VOCAB_PADDING;
}

/**
 * Cuts the padded vocabulary P into equal shards `[r*P/tp, (r+1)*P/tp)`, clipped to V.
 * A shard may be partly or wholly padding.
 * @throws {RangeError} where tp does not divide P.
 */
export function vocabShard(cut: TensorParallelRank & Pick<CutSizes, "vocab">): VocabShard {
  const padded = padVocab(cut.vocab);
  refuse(cut, vocabRules(cut));
  const rows = padded / cut.tensorParallelSize;
  const start = Math.min(cut.tensorParallelRank * rows, cut.vocab);
  const end = Math.min((cut.tensorParallelRank + 1) * rows, cut.vocab);
  return { start, end, padded, padding: rows - (end - start) };
}

/**
 * Cuts the query heads evenly; kv heads evenly too, or one a rank with tp/K replicas where tp >= K.
 * @throws {RangeError} where the heads do not divide.
 */
export function headShard(
  cut: TensorParallelRank & Pick<CutSizes, "heads" | "kvHeads">,
): HeadShard {
  refuse(cut, headRules(cut));
  const { tensorParallelRank, tensorParallelSize, kvHeads } = cut;
  const queries = cut.heads / tensorParallelSize;
  const kvHeadReplicas = Math.max(1, tensorParallelSize / kvHeads);
  const kvs = Math.max(1, kvHeads / tensorParallelSize);
  const kvStart = Math.floor(tensorParallelRank / kvHeadReplicas) * kvs;
  return {
    queryStart: tensorParallelRank * queries,
    queryEnd: (tensorParallelRank + 1) * queries,
    kvStart,
    kvEnd: kvStart + kvs,
    kvHeadReplicas,
  };
}

/**
 * Cuts the FFN width evenly.
 * @throws {RangeError} where tp does not divide F.
 */
export function ffnShard(cut: TensorParallelRank & Pick<CutSizes, "ffn">): FfnShard {
  refuse(cut, ffnRules(cut));
  const width = cut.ffn / cut.tensorParallelSize;
  return { start: cut.tensorParallelRank * width, end: (cut.tensorParallelRank + 1) * width };
}

/** Every rule that a tensor parallel size breaks for a shape; empty where it is legal. */
export function illegalTensorParallelSize(
  shape: CutSizes,
  size: number,
): readonly BrokenCutRule[] {
  const rules = brokenRules(shape, size);
  if (rules.length === 0) return [];
  const nearest = nearestLegalSizes(shape, size);
  return rules.map((rule) => ({ rule, found: size, nearest }));
}

/** All legal tensor parallel sizes of a shape, ascending; none is above the number of query heads. */
export function legalTensorParallelSizes(shape: CutSizes): readonly number[] {
  const legal: number[] = [];
  for (let size = 1; size <= shape.heads; size++) {
    if (brokenRules(shape, size).length === 0) legal.push(size);
  }
  return legal;
}

function nearestLegalSizes(shape: CutSizes, size: number): readonly number[] {
  const legal = legalTensorParallelSizes(shape);
  const below = legal.findLast((candidate) => candidate < size);
  const above = legal.find((candidate) => candidate > size);
  return [below, above].filter((candidate) => candidate !== undefined);
}

function brokenRules(shape: CutSizes, size: number): readonly string[] {
  if (!Number.isInteger(size) || size < 1) {
    return ["the tensor parallel size must be a whole number, 1 or more"];
  }
  const cut = { ...shape, tensorParallelSize: size };
  return [...vocabRules(cut), ...headRules(cut), ...ffnRules(cut)];
}

type Sized = Pick<TensorParallelRank, "tensorParallelSize">;

function vocabRules({ vocab, tensorParallelSize }: Sized & Pick<CutSizes, "vocab">): string[] {
  const padded = padVocab(vocab);
  if (padded % tensorParallelSize === 0) return [];
  const from = padded === vocab ? "" : ` (${vocab} rounded up to a multiple of ${VOCAB_PADDING})`;
  return [`the padded vocabulary ${padded}${from} must be divisible by the tensor parallel size`];
}

function headRules(cut: Sized & Pick<CutSizes, "heads" | "kvHeads">): string[] {
  const { heads, kvHeads, tensorParallelSize } = cut;
  const rules: string[] = [];
  if (heads % tensorParallelSize !== 0) {
    rules.push(`the ${heads} query heads must be divisible by the tensor parallel size`);
  }
  if (tensorParallelSize >= kvHeads && tensorParallelSize % kvHeads !== 0) {
    rules.push(
      `a tensor parallel size of ${kvHeads} or more must be a multiple of ${kvHeads}, the kv heads`,
    );
  }
  if (tensorParallelSize < kvHeads && kvHeads % tensorParallelSize !== 0) {
    rules.push(
      `the ${kvHeads} kv heads must be divisible by a tensor parallel size below ${kvHeads}`,
    );
  }
  return rules;
}

function ffnRules({ ffn, tensorParallelSize }: Sized & Pick<CutSizes, "ffn">): string[] {
  if (ffn % tensorParallelSize === 0) return [];
  return [`the FFN width ${ffn} must be divisible by the tensor parallel size`];
}

function refuse(
  { tensorParallelRank, tensorParallelSize }: TensorParallelRank,
  rules: readonly string[],
): void {
  if (
    !Number.isInteger(tensorParallelRank) || tensorParallelRank < 0 ||
    tensorParallelRank >= tensorParallelSize
  ) {
    throw new RangeError(
      `Cannot cut for rank "${tensorParallelRank}": legal are 0 to ${tensorParallelSize - 1}`,
    );
  }
  if (rules.length > 0) {
    throw new RangeError(`Cannot cut over "${tensorParallelSize}" ranks: ${rules.join("; ")}`);
  }
}
