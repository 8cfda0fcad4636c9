/** Programs of reduce-scatter: every rank ends with its chunk of the sum. In place it lies at its chunk. */

import {
  chunk,
  moveChunk,
  type Place,
  type ProgramShape,
  type Step,
  wrap,
} from "../step_program.ts";
import { everyRank, operandMemory } from "./_operands.ts";

function result({ inPlace }: ProgramShape, start: number) {
  return { memory: "output", start: inPlace ? start : 0 } as const;
}

/** Each rank reads its chunk of every operand and adds them in rank order. */
export function reduceScatterOneShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count, inPlace } = shape;
  if (ranks === 1 && inPlace) return [];
  const mine = chunk(count, ranks, rank);
  const sources = everyRank(shape, operandMemory(shape), mine.start);
  return [{ moves: moveChunk(mine, result(shape, mine.start), sources) }];
}

/** Chunks travel round the ring and collect a sum: chunk k is added in the order k+1, k+2, ... round to k. */
export function reduceScatterRing(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return reduceScatterOneShot(shape);
  const memory = operandMemory(shape);
  const before = wrap(rank - 1, ranks);
  return Array.from({ length: ranks - 1 }, (_, step) => {
    const part = chunk(count, ranks, wrap(rank - step - 2, ranks));
    const { start } = part;
    const sources: Place[] = [
      { rank: before, memory: step === 0 ? memory : "scratch", start },
      { rank, memory, start },
    ];
    const to = step === ranks - 2 ? result(shape, start) : { memory: "scratch", start } as const;
    return { moves: moveChunk(part, to, sources) };
  });
}
