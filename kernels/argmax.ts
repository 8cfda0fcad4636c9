import sharedWgsl from "./argmax_shared.wgsl" with { type: "text" };
import naiveWgsl from "./argmax_naive.wgsl" with { type: "text" };
import workgroupWgsl from "./argmax_workgroup.wgsl" with { type: "text" };
import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, vec4s } from "./kernel.ts";

/** The greedy choice of each row [rows, columns]; columns from `valid` on are padding. */
export interface ArgmaxShape {
  /** Rows of x, one choice each. */
  readonly rows: number;
  /** V, or as much of it as x has. */
  readonly columns: number;
  /** Columns that may win, at least 1; default `columns`. */
  readonly valid?: number;
}

const NAIVE = wgslFile("argmax_naive.wgsl", naiveWgsl);
const WORKGROUP = wgslFile("argmax_workgroup.wgsl", workgroupWgsl);

/** What stands for the index where a row has an element that is infinite or no number; -1 as int32. */
const NOT_FINITE = 0xffffffff;

/** Five rows of 1003 columns with many largest elements, all negative; padding is larger. */
function tiedRows(): Float32Array {
  return Float32Array.from({ length: 5 * 1003 }, (_, i) => {
    const [row, column] = [Math.floor(i / 1003), i % 1003];
    return column < 997 ? -1 - (column * 7 + row * 3) % (5 * row + 1) : 1;
  });
}

/**
 * The index of each row's largest element; padding never wins, ties take the lowest id. A row with an
 * element, not of its padding, that is not finite has no largest one: its index is 0xffffffff.
 */
export const argmax = defineKernel<ArgmaxShape>({
  name: "argmax",
  fields: { rows: "count", columns: "size" },
  program: ({ rows, columns, valid = columns }) => ({
    wgsl: [wgslFile("argmax_shared.wgsl", sharedWgsl)],
    constants: { COLUMNS: valid, STRIDE: vec4s(columns) * 4 },
    params: [rows],
    size: [rows],
  }),
  variants: {
    naive: { wgsl: NAIVE, workgroupSize: 64, tile: [64] },
    vector: { wgsl: NAIVE, workgroupSize: 8, tile: [8] },
    split_row: { wgsl: WORKGROUP, workgroupSize: 8, tile: [1] },
    workgroup_row: { wgsl: WORKGROUP, workgroupSize: 256, tile: [1] },
  },
  tensors: ({ rows, columns }) => ({
    x: float32(rows, columns, 1),
    out: { rows: 1, columns: rows, dtype: "uint32", fill: { kind: "zero" } },
  }),
  outputs: ["out"],
  cost: ({ rows, columns, valid = columns }) => ({
    flops: rows * valid,
    bytesRead: rows * valid * 4,
    bytesWritten: rows * 4,
  }),
  reference: ({ rows, columns, valid = columns }, tensors) => {
    const x = host(tensors, "x");
    const out = host(tensors, "out");
    for (let r = 0; r < rows; r++) {
      const row = x.subarray(r * columns, r * columns + valid);
      let best = 0;
      for (let c = 1; c < valid; c++) if (row[c]! > row[best]!) best = c;
      out[r] = row.every(Number.isFinite) ? best : NOT_FINITE;
    }
  },
  errorBound: () => 0,
  edgeCases: () => [{
    name: "ties",
    shape: { rows: 5, columns: 1003, valid: 997 },
    fills: { x: { kind: "floats", floats: tiedRows } },
  }],
});
