import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, NONE, vec4s } from "./kernel.ts";
import { positiveSumError, UNIT_ROUNDOFF } from "./rounding.ts";
import sharedWgsl from "./rms_norm_shared.wgsl" with { type: "text" };
import naiveWgsl from "./rms_norm_naive.wgsl" with { type: "text" };
import vectorWgsl from "./rms_norm_vector.wgsl" with { type: "text" };
import workgroupWgsl from "./rms_norm_workgroup.wgsl" with { type: "text" };

/** RMS norm of rows [T, H]; with `residual` the sum x + residual is normed and also written. */
export interface RmsNormShape {
  /** T. */
  readonly tokens: number;
  /** H. */
  readonly hidden: number;
  /** Added to the mean square, so that a row of zeros has a norm. */
  readonly epsilon: number;
  /** Whether there is a residual to add. */
  readonly residual: boolean;
}

const WORKGROUP = wgslFile("rms_norm_workgroup.wgsl", workgroupWgsl);

/** out = s / sqrt(mean(s^2) + epsilon) * norm_weight, s = x (+ residual). */
export const rmsNorm = defineKernel<RmsNormShape>({
  name: "rms_norm",
  fields: { tokens: "count", hidden: "size", epsilon: "real", residual: [true, false] },
  program: ({ tokens, hidden, epsilon, residual }) => ({
    wgsl: [wgslFile("rms_norm_shared.wgsl", sharedWgsl)],
    constants: {
      HIDDEN: hidden,
      STRIDE4: vec4s(hidden),
      EPSILON: epsilon,
      HAS_RESIDUAL: Number(residual),
    },
    params: [tokens],
    size: [tokens],
  }),
  variants: {
    naive: { wgsl: wgslFile("rms_norm_naive.wgsl", naiveWgsl), tile: [64] },
    vector: { wgsl: wgslFile("rms_norm_vector.wgsl", vectorWgsl), tile: [8] },
    split_row: { wgsl: WORKGROUP, workgroupSize: 8, tile: [1] },
    workgroup_row: { wgsl: WORKGROUP, workgroupSize: 256, tile: [1] },
  },
  tensors: ({ tokens, hidden, residual }) => ({
    x: float32(tokens, hidden, 1),
    residual: residual ? float32(tokens, hidden, 1) : NONE,
    norm_weight: float32(1, hidden, 1),
    out: float32(tokens, hidden),
    sum: residual ? float32(tokens, hidden) : NONE,
  }),
  untuned: ["epsilon"],
  outputs: ["out", "sum"],
  cost: ({ tokens, hidden, residual }) => ({
    flops: tokens * hidden * (residual ? 5 : 4),
    bytesRead: (tokens * (residual ? 2 : 1) + 1) * hidden * 4,
    bytesWritten: tokens * (residual ? 2 : 1) * hidden * 4,
  }),
  reference: ({ tokens, hidden, epsilon, residual }, tensors) => {
    const x = host(tensors, "x");
    const norm_weight = host(tensors, "norm_weight");
    const out = host(tensors, "out");
    for (let first = 0; first < tokens * hidden; first += hidden) {
      let squares = 0;
      for (let i = first; i < first + hidden; i++) {
        const value = x[i]! + (residual ? host(tensors, "residual")[i]! : 0);
        if (residual) host(tensors, "sum")[i] = value;
        out[i] = value;
        squares += value * value;
      }
      const factor = 1 / Math.sqrt(squares / hidden + epsilon);
      for (let i = 0; i < hidden; i++) out[first + i]! *= factor * norm_weight[i]!;
    }
  },
  // Half of the relative error of the sum of squares reaches the result; adding, squaring, dividing,
  // an inverse root of 2 units in the last place and two products round a few times more.
  errorBound: ({ hidden }, { out, sum }) => ({
    out: out!.max * (8 * UNIT_ROUNDOFF + positiveSumError(hidden) / 2),
    sum: sum!.max * UNIT_ROUNDOFF,
  }),
  edgeCases: ({ epsilon, residual }) => [{
    name: "rows smaller than epsilon",
    shape: { tokens: 3, hidden: 68, epsilon, residual },
    fills: {
      x: { kind: "uniform", scale: Math.sqrt(epsilon) },
      ...(residual ? { residual: { kind: "uniform", scale: Math.sqrt(epsilon) } } : {}),
    },
  }],
});
