import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, UNIT_ROUNDOFF, vec4s } from "./kernel.ts";
import sharedWgsl from "./softmax_shared.wgsl" with { type: "text" };
import naiveWgsl from "./softmax_naive.wgsl" with { type: "text" };
import vectorWgsl from "./softmax_vector.wgsl" with { type: "text" };
import workgroupWgsl from "./softmax_workgroup.wgsl" with { type: "text" };

/** Softmax along the rows of a matrix [rows, columns]. */
export interface SoftmaxShape {
  /** Rows, one softmax each. */
  readonly rows: number;
  /** Columns, which sum to 1 in the result. */
  readonly columns: number;
}

const WORKGROUP = wgslFile("softmax_workgroup.wgsl", workgroupWgsl);

/** out = exp(x - max) / sum(exp(x - max)), row by row: no input overflows. */
export const softmax = defineKernel<SoftmaxShape>({
  name: "softmax",
  fields: { rows: "count", columns: "size" },
  program: ({ rows, columns }) => ({
    wgsl: [wgslFile("softmax_shared.wgsl", sharedWgsl)],
    constants: { COLUMNS: columns, STRIDE4: vec4s(columns) },
    params: [rows],
    size: [rows],
  }),
  variants: {
    naive: { wgsl: wgslFile("softmax_naive.wgsl", naiveWgsl), tile: [64] },
    vector: { wgsl: wgslFile("softmax_vector.wgsl", vectorWgsl), tile: [8] },
    split_row: { wgsl: WORKGROUP, workgroupSize: 8, tile: [1] },
    workgroup_row: { wgsl: WORKGROUP, workgroupSize: 256, tile: [1] },
  },
  tensors: ({ rows, columns }) => ({ x: float32(rows, columns, 4), out: float32(rows, columns) }),
  outputs: ["out"],
  cost: ({ rows, columns }) => ({
    flops: 5 * rows * columns,
    bytesRead: rows * columns * 4,
    bytesWritten: rows * columns * 4,
  }),
  reference: ({ rows, columns }, tensors) => {
    const x = host(tensors, "x");
    const out = host(tensors, "out");
    for (let first = 0; first < rows * columns; first += columns) {
      let most = -Infinity;
      for (let i = first; i < first + columns; i++) most = Math.max(most, x[i]!);
      let total = 0;
      for (let i = first; i < first + columns; i++) total += Math.exp(x[i]! - most);
      for (let i = first; i < first + columns; i++) out[i] = Math.exp(x[i]! - most) / total;
    }
  },
  // exp of a difference d is good to about (8 + |d|) u; the sum of positive terms adds at most
  // sqrt(columns) u on average; a probability is at most 1.
  errorBound: ({ columns }, { x }) =>
    UNIT_ROUNDOFF * (16 + 4 * x!.max + 2 * Math.sqrt(columns)) + 2 * x!.error,
});
