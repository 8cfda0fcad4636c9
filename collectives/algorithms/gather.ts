/** Programs of gather: rank 0 ends with the chunks of all, in rank order. */

import { chunk, moveChunk, type ProgramShape, type Step } from "../step_program.ts";
import { operandChunk } from "./_operands.ts";

/** Rank 0 reads every other's chunk. */
export function gatherOneShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count, inPlace } = shape;
  if (rank > 0) return [{ moves: [] }];
  const moves = [];
  for (let peer = inPlace ? 1 : 0; peer < ranks; peer++) {
    const part = chunk(count, ranks, peer);
    const source = operandChunk(shape, peer, part.start);
    moves.push(...moveChunk(part, { memory: "output", start: part.start }, [source]));
  }
  return [{ moves }];
}
