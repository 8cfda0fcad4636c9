/** A collective as data: what each rank reads, adds and stores, step by step. */

/**
 * The memories of a rank, in the order in which they lie.
 * @internal
 */
export const MEMORIES = ["input", "output", "scratch"] as const;

/**
 * A rank's memory. In place, `input` and `output` are one: programs then name `output` only.
 * `scratch` is as long as the larger of both, and one quantised block longer.
 */
export type Memory = typeof MEMORIES[number];

/** Some elements of a rank's memory. */
export interface Place {
  /** Whose memory. */
  readonly rank: number;
  /** Which of them. */
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
  /** In the order in which they are reduced. */
  readonly sources: readonly Place[];
  /** How they are reduced; default sum. */
  readonly how?: MoveKind;
}

/**
 * sum: the first is stored, each further one added. quantise: the only source is stored as blocks of
 * int8. sum_quantised: sources are such blocks. maxloc: elements are pairs (value, index), of which
 * the largest value wins, the lowest index among equal ones.
 */
export type MoveKind = "sum" | "quantise" | "sum_quantised" | "maxloc";

/** Elements of a quantised block: int8 values behind one float32 scale, which is largest / 127. */
export const BLOCK = 32;
/** Words of 4 bytes that a block takes. */
export const BLOCK_WORDS = 1 + BLOCK / 4;

/** Words of 4 bytes that a source of a move takes. */
export function sourceWords({ how, count }: Pick<Move, "how" | "count">): number {
  return how === "sum_quantised" ? Math.ceil(count / BLOCK) * BLOCK_WORDS : count;
}

/** Words of 4 bytes that the result of a move takes. */
export function resultWords({ how, count }: Pick<Move, "how" | "count">): number {
  return how === "quantise" ? Math.ceil(count / BLOCK) * BLOCK_WORDS : count;
}

/**
 * Moves that need nothing of each other. All ranks finish a step before any begins the next; within a
 * step nobody writes what another rank reads.
 */
export interface Step {
  /** In any order. */
  readonly moves: readonly Move[];
}

/** What a program is made for. */
export interface ProgramShape {
  /** Whose steps. */
  readonly rank: number;
  /** How many take part. */
  readonly ranks: number;
  /** Elements of the whole array: of the operand of all-reduce, of the gathered or scattered total. */
  readonly count: number;
  /** Whether the result takes the operand's place. */
  readonly inPlace: boolean;
}

/** An algorithm: the steps of one rank. */
export type StepProgram = (shape: ProgramShape) => readonly Step[];

/** Some elements of an array. */
export interface Elements {
  /** The first. */
  readonly start: number;
  /** Behind the last. */
  readonly end: number;
}

/** The elements of a rank's chunk: chunks differ by one element at most. */
export function chunk(count: number, ranks: number, rank: number): Elements {
  return {
    start: Math.floor(count * rank / ranks),
    end: Math.floor(count * (rank + 1) / ranks),
  };
}

/** `value` modulo `ranks`, never negative. */
export function wrap(value: number, ranks: number): number {
  return ((value % ranks) + ranks) % ranks;
}

/** One move of a chunk; none where it is empty. */
export function moveChunk(
  range: Elements,
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
  /** Words of 4 bytes that others read of each rank, by rank. */
  readonly sentWords: readonly number[];
}

/** Counts the steps and words of a program on all its ranks. */
export function traffic(program: StepProgram, shape: Omit<ProgramShape, "rank">): Traffic {
  const sentWords = new Array<number>(shape.ranks).fill(0);
  const remote = new Set<number>();
  for (let rank = 0; rank < shape.ranks; rank++) {
    program({ ...shape, rank }).forEach(({ moves }, step) => {
      for (const move of moves) {
        for (const source of move.sources.filter((place) => place.rank !== rank)) {
          sentWords[source.rank]! += sourceWords(move);
          remote.add(step);
        }
      }
    });
  }
  return { steps: remote.size, sentWords };
}

/** Whether all moves of a program are sums. */
export function hasSumsOnly(program: StepProgram, ranks: number): boolean {
  const steps = program({ rank: 0, ranks, count: BLOCK * ranks, inPlace: false });
  return steps.every(({ moves }) => moves.every(({ how = "sum" }) => how === "sum"));
}
