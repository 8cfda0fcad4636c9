import type { Elements, ProgramShape, StepProgram } from "./step_program.ts";

/** An algorithm of a collective. */
export interface Algorithm {
  /** What each rank does, step by step. */
  readonly program: StepProgram;
  /** Whether the number of ranks must be a power of two. */
  readonly powersOfTwo?: true;
  /**
   * The largest error of a result, where sums are not exact, for operands up to these magnitudes, by rank.
   */
  readonly errorBound?: (largest: readonly number[]) => number;
}

/** A collective operation. */
export interface Collective {
  /** The key in the registry. */
  readonly name: string;
  /** Elements of the whole array that are a rank's operand. */
  readonly operand: (shape: ProgramShape) => Elements;
  /** Elements of the whole array that a rank has in the end. */
  readonly result: (shape: ProgramShape) => Elements;
  /**
   * What element `index` of a rank's result must be, where `operand(rank, index)` is an element of a
   * rank's operand, counted in the whole array.
   */
  readonly expected: (
    operand: (rank: number, index: number) => number,
    index: number,
    shape: ProgramShape,
  ) => number;
  /** Elements come in groups of so many; one by one where absent. */
  readonly elementMultiple?: number;
  /** Whether the greedy token can be found with it, from logits that are cut over ranks. */
  readonly gathersLogits?: true;
  /** What else the suite measures with it: overlap with a GEMM at the largest size, or the link. */
  readonly measures?: "overlap" | "link";
  /**
   * busbw = algbw * factor of n ranks: what a link carries, the same for every n on the same links.
   * Factors are those of nccl-tests (doc/PERFORMANCE.md): 2 (n - 1) / n of all-reduce, (n - 1) / n of
   * all-gather and reduce-scatter, 1 of broadcast and send.
   */
  readonly busbwFactor: (ranks: number) => number;
  /** By name; the others it has not got. */
  readonly algorithms: Readonly<Record<string, Algorithm>>;
}

/** Why an algorithm cannot be run on so many ranks; undefined where it can. */
export function unsupported(
  collective: Collective,
  name: string,
  ranks: number,
): string | undefined {
  const algorithm = collective.algorithms[name];
  if (!algorithm) return `${collective.name} has no algorithm ${name}`;
  if (algorithm.powersOfTwo && (ranks & (ranks - 1)) !== 0) {
    return `${name} needs a power of two, not ${ranks} ranks`;
  }
  return undefined;
}
