import { BLOCK, BLOCK_WORDS, type Move } from "./step_program.ts";

/** A place in an array. */
export interface Span {
  readonly array: Float32Array;
  readonly start: number;
}

/**
 * Combines the sources of a move in plain TypeScript, in float32. An element is stored when all its
 * sources were read: a source may be the place of the result, element for element.
 */
export function combine(
  to: Span,
  sources: readonly Span[],
  move: Pick<Move, "how" | "count">,
): void {
  switch (move.how ?? "sum") {
    case "sum":
      return sum(to, sources, move.count);
    case "quantise":
      return quantise(to, sources[0]!, move.count);
    case "sum_quantised":
      return sumQuantised(to, sources, move.count);
    case "best_pair":
      return bestPair(to, sources, move.count);
  }
}

function sum(to: Span, sources: readonly Span[], count: number): void {
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

/** The codes of a block. */
function codesOf({ array, start }: Span, block: number): Int8Array {
  return new Int8Array(
    array.buffer,
    array.byteOffset + 4 * (start + block * BLOCK_WORDS + 1),
    BLOCK,
  );
}

function quantise(to: Span, source: Span, count: number): void {
  for (let block = 0; block * BLOCK < count; block++) {
    const first = source.start + block * BLOCK;
    const length = Math.min(BLOCK, count - block * BLOCK);
    let largest = 0;
    for (let i = 0; i < length; i++) {
      largest = Math.max(largest, Math.abs(source.array[first + i]!));
    }
    const scale = Math.fround(largest / 127);
    const codes = codesOf(to, block);
    for (let i = 0; i < length; i++) {
      codes[i] = scale > 0 ? Math.round(source.array[first + i]! / scale) : 0;
    }
    to.array[to.start + block * BLOCK_WORDS] = scale;
  }
}

function sumQuantised(to: Span, sources: readonly Span[], count: number): void {
  for (let block = 0; block * BLOCK < count; block++) {
    const scales = sources.map(({ array, start }) => array[start + block * BLOCK_WORDS]!);
    const codes = sources.map((source) => codesOf(source, block));
    const length = Math.min(BLOCK, count - block * BLOCK);
    for (let i = 0; i < length; i++) {
      let total = 0;
      for (let k = 0; k < codes.length; k++) {
        total = Math.fround(total + Math.fround(codes[k]![i]! * scales[k]!));
      }
      to.array[to.start + block * BLOCK + i] = total;
    }
  }
}

function bestPair(to: Span, sources: readonly Span[], count: number): void {
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
