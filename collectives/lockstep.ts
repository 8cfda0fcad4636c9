import { reduce } from "./reduce.ts";
import {
  type Memory,
  type ProgramShape,
  resultWords,
  sourceWords,
  type StepProgram,
} from "./step_program.ts";

/** The memories of one rank. */
export type RankMemory = Readonly<Record<Memory, Float32Array>>;

interface Access {
  readonly rank: number;
  readonly array: Float32Array;
  readonly start: number;
  readonly end: number;
}

/**
 * Runs a program on all ranks, a step at a time and without any transport. All reads of a step see the
 * memory before it, as they do where ranks run at once.
 * @throws {RangeError} where memories are not one a rank, the program has no such number of ranks,
 * ranks have different numbers of steps, a move leaves its memory, or a rank writes what another one
 * reads or writes in the same step.
 */
export function runLockstep(
  program: StepProgram,
  shape: Omit<ProgramShape, "rank">,
  memories: readonly RankMemory[],
): void {
  if (shape.ranks !== memories.length || memories.length === 0) {
    throw new RangeError(
      `Cannot run in lockstep: ${shape.ranks} ranks with ${memories.length} memories; legal: a ` +
        "memory for each of 1 or more ranks",
    );
  }
  const programs = memories.map((_, rank) => program({ ...shape, rank }));
  const steps = programs[0]!.length;
  if (programs.some((own) => own.length !== steps)) {
    throw new RangeError(
      `Cannot run in lockstep: ranks have ${programs.map((p) => p.length)} steps`,
    );
  }
  for (let step = 0; step < steps; step++) {
    const reads: Access[] = [];
    const writes: Access[] = [];
    programs.forEach((own, rank) => {
      for (const move of own[step]!.moves) {
        const { to, sources } = move;
        const access = (array: Float32Array, start: number, words: number): Access => {
          if (start < 0 || start + words > array.length) {
            throw new RangeError(`Cannot run step ${step}: rank ${rank} leaves its memory`);
          }
          return { rank, array, start, end: start + words };
        };
        writes.push(access(memories[rank]![to.memory], to.start, resultWords(move)));
        for (const source of sources) {
          if (!memories[source.rank]) {
            throw new RangeError(
              `Cannot run step ${step}: rank ${rank} reads rank ${source.rank} of ` +
                `${memories.length}; legal for some programs are powers of two only`,
            );
          }
          reads.push(
            access(memories[source.rank]![source.memory], source.start, sourceWords(move)),
          );
        }
      }
    });
    for (const write of writes) {
      const other = [...reads, ...writes].find((access) =>
        access.rank !== write.rank && access.array === write.array &&
        access.start < write.end && write.start < access.end
      );
      if (other) {
        throw new RangeError(
          `Cannot run step ${step}: rank ${write.rank} writes what rank ${other.rank} needs`,
        );
      }
    }
    programs.forEach((own, rank) => {
      for (const move of own[step]!.moves) {
        const spans = move.sources.map(({ rank: from_, memory, start }) => ({
          array: memories[from_]![memory],
          start,
        }));
        const array = memories[rank]![move.to.memory];
        reduce({ array, start: move.to.start }, spans, move);
      }
    });
  }
}
