/** The program of send_recv: every rank sends to the next one and receives from the one before. */

import { type ProgramShape, type Step, wrap } from "../step_program.ts";
import { keptOperand, toOutput } from "./_operands.ts";

/** One step; in place the operand is copied out of the way first. */
export function sendRecvOneShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count, inPlace } = shape;
  if (inPlace && ranks === 1) return [];
  const { memory, keep } = keptOperand(shape);
  const source = { rank: wrap(rank - 1, ranks), memory, start: 0 };
  return [...keep, { moves: toOutput({ start: 0, end: count }, [source]) }];
}
