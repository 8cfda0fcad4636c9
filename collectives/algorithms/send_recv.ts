/** The program of send_recv: every rank sends to the next one and receives from the one before. */

import { moveChunk, type ProgramShape, type Step, wrap } from "../step_program.ts";
import { keptOperand } from "./_operands.ts";

/** One step; in place the operand is copied out of the way first. */
export function sendRecvOneShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count, inPlace } = shape;
  if (inPlace && ranks === 1) return [];
  const { memory, keep } = keptOperand(shape);
  const source = { rank: wrap(rank - 1, ranks), memory, start: 0 };
  const moves = moveChunk({ start: 0, end: count }, { memory: "output", start: 0 }, [source]);
  return [...keep, { moves }];
}
