/** Programs of all-gather: every rank ends with the chunks of all, in rank order. */

import {
  chunk,
  type Move,
  moveChunk,
  type Place,
  type ProgramShape,
  type Step,
  wrap,
} from "../step_program.ts";
import { operandChunk } from "./_operands.ts";

function ownChunk(shape: ProgramShape): readonly Move[] {
  const { rank, ranks, count, inPlace } = shape;
  const mine = chunk(count, ranks, rank);
  const { start } = mine;
  return inPlace
    ? []
    : moveChunk(mine, { memory: "output", start }, [operandChunk(shape, rank, start)]);
}

/** Each rank reads every other's chunk. */
export function allGatherOneShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  const moves = [...ownChunk(shape)];
  for (let peer = 0; peer < ranks; peer++) {
    if (peer === rank) continue;
    const part = chunk(count, ranks, peer);
    const { start } = part;
    moves.push(...moveChunk(part, { memory: "output", start }, [operandChunk(shape, peer, start)]));
  }
  return [{ moves }];
}

/** Chunks travel round the ring. */
export function allGatherRing(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return allGatherOneShot(shape);
  const before = wrap(rank - 1, ranks);
  return Array.from({ length: ranks - 1 }, (_, step) => {
    const part = chunk(count, ranks, wrap(rank - step - 1, ranks));
    const { start } = part;
    const source: Place = step === 0
      ? operandChunk(shape, before, start)
      : { rank: before, memory: "output", start };
    return {
      moves: [
        ...(step === 0 ? ownChunk(shape) : []),
        ...moveChunk(part, { memory: "output", start }, [source]),
      ],
    };
  });
}

/** Partners at distances 1, 2, 4, ... read all that the other has. For powers of two. */
export function allGatherRecursiveDoubling(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return allGatherOneShot(shape);
  const steps: Step[] = [];
  for (let size = 1; size < ranks; size *= 2) {
    const partner = rank ^ size;
    const first = partner - partner % size;
    const start = chunk(count, ranks, first).start;
    const end = chunk(count, ranks, first + size - 1).end;
    const source: Place = size === 1
      ? operandChunk(shape, partner, start)
      : { rank: partner, memory: "output", start };
    steps.push({
      moves: [
        ...(size === 1 ? ownChunk(shape) : []),
        ...moveChunk({ start, end }, { memory: "output", start }, [source]),
      ],
    });
  }
  return steps;
}
