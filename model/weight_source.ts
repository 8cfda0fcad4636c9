import type { HostArray } from "../kernels/kernel.ts";
import { hostArray } from "../kernels/pack.ts";
import { firstBeyond } from "./first_beyond.ts";
import { CheckpointError } from "./safetensors.ts";
import type { CheckpointTensor, StageWeight, WeightRange } from "./stage_weights.ts";

/** Where the numbers of weights come from. */
export interface WeightSource extends Disposable {
  /** Writes a range as float32, row by row, into an array of its size. */
  read(range: WeightRange, into: Float32Array): void;
  /** What no number of a tensor exceeds in magnitude, where that is known without reading it. */
  bound?(tensor: CheckpointTensor): number;
  /** The file that has a tensor, where weights come from files. */
  pathOf?(tensor: CheckpointTensor): string;
}

/** Magnitudes from here on are infinite in float16: 65504, the largest there is, and half a step. */
const FLOAT16_OVERFLOW = 65520;

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
 * @throws {CheckpointError} where a number is beyond its storage type.
 */
export function hostWeight(weight: StageWeight, source: WeightSource): HostWeight {
  const { tensor, layout, ranges } = weight;
  const values = hostArray(tensor);
  const scales = tensor.dtype === "int8" ? scalesOf(weight, source) : undefined;
  const inverse = scales && Float64Array.from(scales, (scale) => scale > 0 ? 1 / scale : 0);
  const target = { values, inverse, rows: tensor.rows, columns: tensor.columns };
  let first = 0; // columns, or elements of a vector, that are done
  for (const range of ranges) {
    if (layout === "vector") {
      source.read(range, (values as Float32Array).subarray(first));
      first += range.columnEnd - range.columnStart;
      continue;
    }
    forRows(realRows(range), source, (chunk, part) => {
      if (tensor.dtype === "float16") checkFloat16(chunk, part, source);
      const row = part.rowStart - range.rowStart;
      if (layout === "plain") copyRows(target, chunk, row);
      else transposeRows(target, chunk, first + row);
    });
    first += range.rowEnd - range.rowStart;
  }
  return { values, scales };
}

/** A range without the rows past the end of its tensor. */
function realRows(range: WeightRange): WeightRange {
  const rowEnd = Math.max(range.rowStart, Math.min(range.rowEnd, range.tensor.rows));
  return { ...range, rowEnd };
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

function checkFloat16(chunk: Float32Array, part: WeightRange, source: WeightSource): void {
  const beyond = firstBeyond(chunk, FLOAT16_OVERFLOW);
  if (beyond < 0) return;
  const { tensor, rowStart, columnStart, columnEnd } = part;
  const width = columnEnd - columnStart;
  const [row, column] = [
    rowStart + Math.floor(beyond / width),
    columnStart + beyond % width,
  ];
  throw new CheckpointError(source.pathOf?.(tensor) ?? "dummy weights", [
    `"${tensor.name}": ${chunk[beyond]} in row ${row}, column ${column} is beyond float16, whose ` +
    "largest number is 65504; legal are int8 and float32",
  ]);
}

interface Target {
  readonly values: HostArray;
  /** 1 / scale of each column; int8 only. */
  readonly inverse: Float64Array | undefined;
  readonly rows: number;
  readonly columns: number;
}

/** Rounds a number between -128 and 127, half up; twice as fast as Math.round. */
function nearest(value: number): number {
  return ((value + 128.5) | 0) - 128;
}

function copyRows({ values, inverse, columns }: Target, chunk: Float32Array, row: number): void {
  if (!inverse) return values.set(chunk, row * columns);
  for (let first = 0; first < chunk.length; first += columns) {
    const to = row * columns + first;
    for (let i = 0; i < columns; i++) values[to + i] = nearest(chunk[first + i]! * inverse[i]!);
  }
}

/** Writes rows of the checkpoint as columns from `first` on, a row of the target at a time. */
function transposeRows(
  { values, inverse, rows, columns }: Target,
  chunk: Float32Array,
  first: number,
): void {
  const count = chunk.length / rows;
  for (let i = 0; i < rows; i++) {
    const to = i * columns + first;
    if (inverse) {
      for (let n = 0; n < count; n++) {
        values[to + n] = nearest(chunk[n * rows + i]! * inverse[first + n]!);
      }
    } else {
      for (let n = 0; n < count; n++) values[to + n] = chunk[n * rows + i]!;
    }
  }
}

/** Largest magnitude / 127 of each column of a weight, in the uncut tensor; 0 where it is all zeros. */
function scalesOf({ layout, ranges, tensor }: StageWeight, source: WeightSource): Float32Array {
  const most = new Float32Array(tensor.columns);
  const isPlain = layout === "plain";
  let first = 0;
  for (const range of ranges) {
    const real = realRows(range);
    const columns = isPlain ? tensor.columns : real.rowEnd - real.rowStart;
    const bound = source.bound?.(range.tensor);
    if (bound !== undefined) most.fill(bound, first, first + columns);
    else {
      const uncut = isPlain
        ? { ...range, rowStart: 0, rowEnd: range.tensor.rows }
        : { ...real, columnStart: 0, columnEnd: range.tensor.columns };
      const width = uncut.columnEnd - uncut.columnStart;
      forRows(uncut, source, (chunk, part) => {
        const row = first + part.rowStart - range.rowStart;
        for (let i = 0; i < part.rowEnd - part.rowStart; i++) {
          for (let column = 0; column < width; column++) {
            const at = isPlain ? column : row + i;
            most[at] = Math.max(most[at]!, Math.abs(chunk[i * width + column]!));
          }
        }
      });
    }
    first += range.rowEnd - range.rowStart;
  }
  return most.map((magnitude) => magnitude / 127);
}
