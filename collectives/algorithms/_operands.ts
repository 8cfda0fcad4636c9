/** Where operands lie, how they are kept from being overwritten, and where results go. */

import {
  type Elements,
  type Memory,
  type Move,
  moveChunk,
  type Place,
  type ProgramShape,
  type Step,
} from "../step_program.ts";

/** The memory of a whole operand: in place it is the output. */
export function operandMemory({ inPlace }: ProgramShape): Memory {
  return inPlace ? "output" : "input";
}

/** A rank's operand that is a chunk of the whole array: in place it lies where it will be. */
export function operandChunk({ inPlace }: ProgramShape, rank: number, start: number): Place {
  return inPlace ? { rank, memory: "output", start } : { rank, memory: "input", start: 0 };
}

/** The same place in a memory of every rank, in rank order. */
export function everyRank({ ranks }: ProgramShape, memory: Memory, start: number): Place[] {
  return Array.from({ length: ranks }, (_, rank) => ({ rank, memory, start }));
}

/** The memory that others read while this rank writes its output, and the step that fills it. */
export function keptOperand(
  { rank, count, inPlace }: ProgramShape,
): { readonly memory: Memory; readonly keep: readonly Step[] } {
  if (!inPlace) return { memory: "input", keep: [] };
  const sources = [{ rank, memory: "output", start: 0 }] as const;
  const moves = moveChunk({ start: 0, end: count }, { memory: "scratch", start: 0 }, sources);
  return { memory: "scratch", keep: [{ moves }] };
}

/** Moves the sources of some elements to the same elements of the own output. */
export function toOutput(range: Elements, sources: readonly Place[]): readonly Move[] {
  return moveChunk(range, { memory: "output", start: range.start }, sources);
}
