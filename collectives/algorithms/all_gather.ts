/** Programs of all-gather and gather: every rank, or rank 0, ends with the chunks of all, in rank order. */

import { chunk, type Move, type ProgramShape, type Step, wrap } from "../step_program.ts";
import { operandChunk, toOutput } from "./_operands.ts";

function readOperand(shape: ProgramShape, peer: number): readonly Move[] {
  const part = chunk(shape.count, shape.ranks, peer);
  return toOutput(part, [operandChunk(shape, peer, part.start)]);
}

function ownChunk(shape: ProgramShape): readonly Move[] {
  return shape.inPlace ? [] : readOperand(shape, shape.rank);
}

/** Each rank reads every other's chunk. */
export function allGatherOneShot(shape: ProgramShape): readonly Step[] {
  const moves = [...ownChunk(shape)];
  for (let peer = 0; peer < shape.ranks; peer++) {
    if (peer !== shape.rank) moves.push(...readOperand(shape, peer));
  }
  return [{ moves }];
}

/** Rank 0 reads every other's chunk. */
export function gatherOneShot(shape: ProgramShape): readonly Step[] {
  return shape.rank > 0 ? [{ moves: [] }] : allGatherOneShot(shape);
}

/** Chunks travel round the ring. */
export function allGatherRing(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return allGatherOneShot(shape);
  const before = wrap(rank - 1, ranks);
  return Array.from({ length: ranks - 1 }, (_, step) => {
    if (step === 0) return { moves: [...ownChunk(shape), ...readOperand(shape, before)] };
    const part = chunk(count, ranks, wrap(before - step, ranks));
    return { moves: toOutput(part, [{ rank: before, memory: "output", start: part.start }]) };
  });
}

/** Partners at distances 1, 2, 4, ... read all that the other has. For powers of two. */
export function allGatherRecursiveDoubling(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return allGatherOneShot(shape);
  const steps: Step[] = [{ moves: [...ownChunk(shape), ...readOperand(shape, rank ^ 1)] }];
  for (let size = 2; size < ranks; size *= 2) {
    const partner = rank ^ size;
    const first = partner - partner % size;
    const { start } = chunk(count, ranks, first);
    const { end } = chunk(count, ranks, first + size - 1);
    steps.push({ moves: toOutput({ start, end }, [{ rank: partner, memory: "output", start }]) });
  }
  return steps;
}
