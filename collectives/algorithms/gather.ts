/** Programs of gather: rank 0 ends with the shares of all, in rank order. */

import { chunk, moveChunk, type ProgramShape, type Step } from "../step_program.ts";

/** Rank 0 reads every other's share. */
export function gatherOneShot({ rank, ranks, count, inPlace }: ProgramShape): readonly Step[] {
  if (rank > 0) return [{ moves: [] }];
  const moves = [];
  for (let peer = inPlace ? 1 : 0; peer < ranks; peer++) {
    const part = chunk(count, ranks, peer);
    const source = inPlace
      ? { rank: peer, memory: "output", start: part.start } as const
      : { rank: peer, memory: "input", start: 0 } as const;
    moves.push(...moveChunk(part, { memory: "output", start: part.start }, [source]));
  }
  return [{ moves }];
}
