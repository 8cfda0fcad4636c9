/** The program of send_recv: every rank sends to the next one and receives from the one before. */

import { moveChunk, type ProgramShape, type Step, wrap } from "../step_program.ts";

/** One step; in place the operand is copied out of the way first. */
export function sendRecvOneShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count, inPlace } = shape;
  const before = wrap(rank - 1, ranks);
  const whole = { start: 0, end: count };
  if (inPlace && ranks === 1) return [];
  const memory = inPlace ? "scratch" : "input";
  const keep = moveChunk(whole, { memory: "scratch", start: 0 }, [{
    rank,
    memory: "output",
    start: 0,
  }]);
  const receive = moveChunk(whole, { memory: "output", start: 0 }, [{
    rank: before,
    memory,
    start: 0,
  }]);
  return [...(inPlace ? [{ moves: keep }] : []), { moves: receive }];
}
