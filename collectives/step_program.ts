/** A collective as data: what each rank reads, adds and stores, step by step. */

/**
 * A rank's memory. In place, `input` and `output` are one: programs then name `output` only.
 * `scratch` is as long as the larger of both.
 */
export type Memory = "input" | "output" | "scratch";

/** Some elements of a rank's memory. */
export interface Place {
  readonly rank: number;
  readonly memory: Memory;
  /** First element. */
  readonly start: number;
}

/**
 * How the sources of a move become its result: a sum in the order of the sources, or a copy of the only
 * one. A source may be the very place that the result goes to, element for element.
 */
export interface Move {
  /** Where the result goes, in the own rank's memory. */
  readonly to: { readonly memory: "output" | "scratch"; readonly start: number };
  /** Elements. */
  readonly count: number;
  /** The first is stored, each further one added, in this order. */
  readonly sources: readonly Place[];
}

/**
 * Moves that need nothing of each other. All ranks finish a step before any begins the next; within a
 * step nobody writes what another rank reads.
 */
export interface Step {
  readonly moves: readonly Move[];
}

/** What a program is made for. */
export interface ProgramShape {
  readonly rank: number;
  readonly ranks: number;
  /** Elements of the whole array: of the operand of all-reduce, of the gathered or scattered total. */
  readonly count: number;
  /** Whether the result takes the operand's place. */
  readonly inPlace: boolean;
}

/** An algorithm: the steps of one rank. */
export type StepProgram = (shape: ProgramShape) => readonly Step[];

/** Elements `[start, end)` of a rank's share: shares differ by one element at most. */
export function share(
  count: number,
  ranks: number,
  rank: number,
): { readonly start: number; readonly end: number } {
  return {
    start: Math.floor(count * rank / ranks),
    end: Math.floor(count * (rank + 1) / ranks),
  };
}

/** `value` modulo `ranks`, never negative. */
export function wrap(value: number, ranks: number): number {
  return ((value % ranks) + ranks) % ranks;
}

/** One move of a share; none where the share is empty. */
export function moveShare(
  range: { readonly start: number; readonly end: number },
  to: Move["to"],
  sources: readonly Place[],
): readonly Move[] {
  const count = range.end - range.start;
  return count > 0 ? [{ to, count, sources }] : [];
}

/** What running a program on all ranks costs. */
export interface Traffic {
  /** Steps in which any rank reads another's memory. */
  readonly steps: number;
  /** Elements that others read of each rank, by rank. */
  readonly sentElements: readonly number[];
}

/** Counts the steps and elements of a program. */
export function traffic(program: StepProgram, shape: Omit<ProgramShape, "rank">): Traffic {
  const sentElements = new Array<number>(shape.ranks).fill(0);
  const remote = new Set<number>();
  for (let rank = 0; rank < shape.ranks; rank++) {
    program({ ...shape, rank }).forEach(({ moves }, step) => {
      for (const { sources, count } of moves) {
        for (const source of sources.filter((place) => place.rank !== rank)) {
          sentElements[source.rank]! += count;
          remote.add(step);
        }
      }
    });
  }
  return { steps: remote.size, sentElements };
}
