import type { Collective } from "../../../collectives/collective.ts";
import { chunk, type Elements, type ProgramShape } from "../../../collectives/step_program.ts";

/** What a rank gives, and what it must get. */
export interface OperandPattern {
  readonly operand: Float32Array;
  readonly expected: Float32Array;
}

/** Most ranks over which sums of operands are exact in float32. */
export const MAX_EXACT_RANKS = 16;

/** Patterns alternate, so that a result left over from the last iteration is never right. */
const PATTERNS = [0, 1] as const;
/** Operands repeat after so many elements: twice 251, for pairs. */
const PERIOD = 502;

/** No two ranks or patterns agree; exact for up to {@linkcode MAX_EXACT_RANKS} ranks. */
function operandValue(rank: number, index: number, pattern: number): number {
  return ((index * 7 + pattern * 31) % 251 - 125) * 2 ** rank;
}

/** The largest operand of each rank. */
export function largestOperands(ranks: number): readonly number[] {
  return Array.from({ length: ranks }, (_, rank) => 125 * 2 ** rank);
}

/** The patterns of one rank, to be used in turn. */
export function operandPatterns(
  collective: Collective,
  shape: ProgramShape,
): readonly OperandPattern[] {
  const result = collective.result(shape);
  return PATTERNS.map((pattern) => {
    const operand = (rank: number, index: number) => operandValue(rank, index, pattern);
    const expected = new Float32Array(result.end - result.start);
    // Within one rank's chunk of the array values repeat, whatever the collective makes of them.
    for (let rank = 0; rank < shape.ranks; rank++) {
      const own = chunk(shape.count, shape.ranks, rank);
      const start = Math.max(own.start, result.start);
      const end = Math.min(own.end, result.end);
      if (start >= end) continue;
      const part = periodic({ start, end }, (index) => collective.expected(operand, index, shape));
      expected.set(part, start - result.start);
    }
    const own = periodic(collective.operand(shape), (index) => operand(shape.rank, index));
    return { operand: own, expected };
  });
}

/** Values of elements, computed for one period and repeated. */
function periodic({ start, end }: Elements, value: (index: number) => number): Float32Array {
  const values = new Float32Array(end - start);
  const computed = Math.min(PERIOD, values.length);
  for (let i = 0; i < computed; i++) values[i] = value(start + i);
  for (let have = computed; have < values.length && have > 0; have *= 2) {
    values.copyWithin(have, 0, have); // as much as there is room for
  }
  return values;
}

/** How many elements are off by more than the tolerance, and by how much at most. */
export function countWrong(
  found: Float32Array,
  expected: Float32Array,
  tolerance: number,
): { readonly elements: number; readonly error: number } {
  let elements = 0;
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    if (found[i] === expected[i]) continue;
    const off = Math.abs(found[i]! - expected[i]!);
    if (!(off <= tolerance)) elements++;
    error = Math.max(error, Number.isNaN(off) ? Infinity : off);
  }
  return { elements, error };
}
