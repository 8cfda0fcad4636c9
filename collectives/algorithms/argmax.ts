/** The program of vocab-parallel argmax: pairs (value, index) of all ranks, of which the best stays. */

import { moveChunk, type ProgramShape, type Step } from "../step_program.ts";

/** Every rank reads all pairs; in place the own ones are copied out of the way first. */
export function argmaxOneShot({ rank, ranks, count, inPlace }: ProgramShape): readonly Step[] {
  const whole = { start: 0, end: count };
  const memory = inPlace ? "scratch" : "input";
  const keep = moveChunk(whole, { memory: "scratch", start: 0 }, [{
    rank,
    memory: "output",
    start: 0,
  }]);
  const all = Array.from(
    { length: ranks },
    (_, peer) => ({ rank: peer, memory, start: 0 } as const),
  );
  const best = moveChunk(whole, { memory: "output", start: 0 }, all)
    .map((move) => ({ ...move, how: "maxloc" as const }));
  return [...(inPlace ? [{ moves: keep }] : []), { moves: best }];
}
