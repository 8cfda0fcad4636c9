import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, vec4s } from "./kernel.ts";
import { positiveSumError, UNIT_ROUNDOFF } from "./rounding.ts";
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
  // exp(-d) is good to 3 + 2 d units in the last place, which is largest, beside 1, for d = 0: 6 u. The
  // sum of positive terms is as good on average, a division to 2.5 units.
  errorBound: ({ columns }, { out }) => out!.max * (16 * UNIT_ROUNDOFF + positiveSumError(columns)),
  edgeCases: () => [{
    name: "operands of 400",
    shape: { rows: 5, columns: 67 },
    fills: { x: { kind: "uniform", scale: 400 } },
  }],
});
