import type { HostArray } from "../kernels/kernel.ts";
import { hostArray } from "../kernels/pack.ts";
import type { StageWeight, WeightRange } from "./stage_weights.ts";

/** Where the numbers of weights come from. */
export interface WeightSource extends Disposable {
  /** Writes a range as float32, row by row, into an array of its size. */
  read(range: WeightRange, into: Float32Array): void;
  /** The largest magnitude of each row of a range, over all columns of its tensor. */
  rowMagnitudes(range: WeightRange): Float32Array;
  /** The largest magnitude of each column of a range, over all rows of its tensor. */
  columnMagnitudes(range: WeightRange): Float32Array;
}

/** A weight on the host: unpadded, in its storage type. */
export interface HostWeight {
  readonly values: HostArray;
  /** One a column; int8 only. */
  readonly scales: Float32Array | undefined;
}

/** Rows of the checkpoint that are turned into columns together: their reads share cache lines. */
const ROWS_TOGETHER = 64;

/**
 * Reads one weight in its storage type. Int8 values are round(value / scale), with the column's scale
 * from the whole tensor: a rank's values are the slice of the uncut ones.
 */
export function hostWeight(weight: StageWeight, source: WeightSource): HostWeight {
  const { tensor, layout, ranges } = weight;
  const values = hostArray(tensor);
  const scales = tensor.dtype === "int8" ? scalesOf(weight, source) : undefined;
  let first = 0; // columns, or elements of a vector, that are done
  for (const range of ranges) {
    const real = { ...range, rowEnd: Math.min(range.rowEnd, range.tensor.rows) };
    if (layout === "vector") source.read(range, (values as Float32Array).subarray(first));
    else {
      forRows(real, source, (chunk, part) => {
        if (layout === "plain") {
          copyRows(
            { values, scales, columns: tensor.columns },
            chunk,
            part.rowStart - range.rowStart,
          );
        } else {
          const column = first + part.rowStart - range.rowStart;
          transposeRows({ values, scales, columns: tensor.columns }, chunk, {
            column,
            rows: part.rowEnd - part.rowStart,
          });
        }
      });
    }
    first += layout === "vector"
      ? range.columnEnd - range.columnStart
      : range.rowEnd - range.rowStart;
  }
  return { values, scales };
}

/** Calls back with a few rows of a range at a time. */
function forRows(
  range: WeightRange,
  source: WeightSource,
  each: (chunk: Float32Array, part: WeightRange) => void,
): void {
  const width = range.columnEnd - range.columnStart;
  const chunk = new Float32Array(ROWS_TOGETHER * width);
  for (let row = range.rowStart; row < range.rowEnd; row += ROWS_TOGETHER) {
    const part = { ...range, rowStart: row, rowEnd: Math.min(row + ROWS_TOGETHER, range.rowEnd) };
    const own = chunk.subarray(0, (part.rowEnd - row) * width);
    source.read(part, own);
    each(own, part);
  }
}

interface Target {
  readonly values: HostArray;
  readonly scales: Float32Array | undefined;
  readonly columns: number;
}

/** Rounds a number between -128 and 127, half up; twice as fast as Math.round. */
function nearest(value: number): number {
  return ((value + 128.5) | 0) - 128;
}

function copyRows({ values, scales, columns }: Target, chunk: Float32Array, row: number): void {
  if (!scales) return values.set(chunk, row * columns);
  const inverse = Float64Array.from(scales, (scale) => scale > 0 ? 1 / scale : 0);
  for (let first = 0; first < chunk.length; first += columns) {
    const to = row * columns + first;
    for (let i = 0; i < columns; i++) values[to + i] = nearest(chunk[first + i]! * inverse[i]!);
  }
}

/** Writes rows of the checkpoint as columns, a row of the target at a time. */
function transposeRows(
  { values, scales, columns }: Target,
  chunk: Float32Array,
  { column, rows }: { readonly column: number; readonly rows: number },
): void {
  const k = chunk.length / rows;
  const inverse = scales
    ? Float64Array.from(
      scales.subarray(column, column + rows),
      (scale) => scale > 0 ? 1 / scale : 0,
    )
    : undefined;
  for (let i = 0; i < k; i++) {
    const to = i * columns + column;
    if (inverse) {
      for (let n = 0; n < rows; n++) {
        values[to + n] = nearest(chunk[n * k + i]! * inverse[n]!);
      }
    } else {
      for (let n = 0; n < rows; n++) values[to + n] = chunk[n * k + i]!;
    }
  }
}

/** Largest magnitude / 127 of each column of a weight; 0 where a column is all zeros. */
function scalesOf({ layout, ranges, tensor }: StageWeight, source: WeightSource): Float32Array {
  const scales = new Float32Array(tensor.columns);
  let first = 0;
  for (const range of ranges) {
    const real = { ...range, rowEnd: Math.min(range.rowEnd, range.tensor.rows) };
    const magnitudes = layout === "plain"
      ? source.columnMagnitudes(real)
      : source.rowMagnitudes(real);
    magnitudes.forEach((most, i) => scales[first + i] = most / 127);
    first += range.rowEnd - range.rowStart;
  }
  return scales;
}
