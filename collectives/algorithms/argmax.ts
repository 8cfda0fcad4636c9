/** The program of vocab-parallel argmax: pairs (value, index) of all ranks, of which the best stays. */

import { moveChunk, type ProgramShape, type Step } from "../step_program.ts";
import { everyRank, keptOperand } from "./_operands.ts";

/** Every rank reads all pairs; in place the own ones are copied out of the way first. */
export function argmaxOneShot(shape: ProgramShape): readonly Step[] {
  const { memory, keep } = keptOperand(shape);
  const whole = { start: 0, end: shape.count };
  const moves = moveChunk(whole, { memory: "output", start: 0 }, everyRank(shape, memory, 0));
  return [...keep, { moves: moves.map((move) => ({ ...move, how: "maxloc" })) }];
}
