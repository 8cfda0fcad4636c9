import { BLOCK, BLOCK_WORDS, type Move, type MoveKind } from "./step_program.ts";

/** A place in an array, its first element. */
export interface ArraySlice {
  readonly array: Float32Array;
  readonly start: number;
}

/**
 * Reduces the sources of a move in plain TypeScript, in float32. An element is stored when all its
 * sources were read: a source may be the place of the result, element for element.
 */
export function reduce(
  to: ArraySlice,
  sources: readonly ArraySlice[],
  move: Pick<Move, "how" | "count">,
): void {
  WAYS[move.how ?? "sum"](to, sources, move.count);
}

type Way = (to: ArraySlice, sources: readonly ArraySlice[], count: number) => void;

const WAYS: Readonly<Record<MoveKind, Way>> = {
  sum,
  quantise,
  sum_quantised: sumQuantised,
  maxloc,
};

function sum(to: ArraySlice, sources: readonly ArraySlice[], count: number): void {
  const [a, b] = sources;
  if (sources.length === 1) {
    to.array.set(a!.array.subarray(a!.start, a!.start + count), to.start);
    return;
  }
  for (let i = 0; i < count; i++) {
    let total = Math.fround(a!.array[a!.start + i]! + b!.array[b!.start + i]!);
    for (let k = 2; k < sources.length; k++) {
      total = Math.fround(total + sources[k]!.array[sources[k]!.start + i]!);
    }
    to.array[to.start + i] = total;
  }
}

/** All bytes of a slice's buffer, and the place of its first block's values in them. */
function quantisedOf(
  { array, start }: ArraySlice,
): { readonly quantised: Int8Array; readonly first: number } {
  return { quantised: new Int8Array(array.buffer), first: array.byteOffset + 4 * (start + 1) };
}

function quantise(to: ArraySlice, [only]: readonly ArraySlice[], count: number): void {
  const source = only!;
  const { quantised, first } = quantisedOf(to);
  for (let block = 0; block * BLOCK < count; block++) {
    const from_ = source.start + block * BLOCK;
    const length = Math.min(BLOCK, count - block * BLOCK);
    let largest = 0;
    for (let i = 0; i < length; i++) {
      largest = Math.max(largest, Math.abs(source.array[from_ + i]!));
    }
    const scale = Math.fround(largest / 127);
    const at = first + 4 * BLOCK_WORDS * block;
    for (let i = 0; i < length; i++) {
      quantised[at + i] = scale > 0 ? Math.round(source.array[from_ + i]! / scale) : 0;
    }
    to.array[to.start + block * BLOCK_WORDS] = scale;
  }
}

function sumQuantised(to: ArraySlice, sources: readonly ArraySlice[], count: number): void {
  const operands = sources.map((source) => ({ ...source, ...quantisedOf(source) }));
  for (let block = 0; block * BLOCK < count; block++) {
    const length = Math.min(BLOCK, count - block * BLOCK);
    const into = to.start + block * BLOCK;
    operands.forEach(({ array, start, quantised, first }, k) => {
      const scale = array[start + block * BLOCK_WORDS]!;
      const at = first + 4 * BLOCK_WORDS * block;
      for (let i = 0; i < length; i++) {
        const value = Math.fround(quantised[at + i]! * scale);
        to.array[into + i] = k === 0 ? value : to.array[into + i]! + value;
      }
    });
  }
}

function maxloc(to: ArraySlice, sources: readonly ArraySlice[], count: number): void {
  for (let at = 0; at + 1 < count; at += 2) {
    let [value, index] = [-Infinity, Infinity];
    for (const { array, start } of sources) {
      const [v, i] = [array[start + at]!, array[start + at + 1]!];
      if (v > value || (v === value && i < index)) [value, index] = [v, i];
    }
    to.array[to.start + at] = value;
    to.array[to.start + at + 1] = index;
  }
}
