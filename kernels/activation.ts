import {
  activate,
  ACTIVATE_WGSL,
  activationCode,
  activationError,
  type ActivationName,
  ACTIVATIONS,
} from "./activate.ts";
import naiveWgsl from "./activation_naive.wgsl" with { type: "text" };
import sharedWgsl from "./activation_shared.wgsl" with { type: "text" };
import vectorWgsl from "./activation_vector.wgsl" with { type: "text" };
import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, UNIT_ROUNDOFF, vec4s } from "./kernel.ts";

/** An activation of [tokens, columns], or of gate and up side by side [tokens, 2 columns]. */
export interface ActivationShape {
  /** T. */
  readonly tokens: number;
  /** F, the columns of the output. */
  readonly columns: number;
  /** Whether x holds a gate and an up half. */
  readonly gated: boolean;
  /** What is applied to x, or to its gate half. */
  readonly activation: ActivationName;
}

/** out [T, F] = activate(x), or activate(gate) * up. */
export const activation = defineKernel<ActivationShape>({
  name: "activation",
  fields: { tokens: "count", columns: "size", gated: [true, false], activation: ACTIVATIONS },
  program: ({ tokens, columns, gated, activation }) => ({
    wgsl: [ACTIVATE_WGSL, wgslFile("activation_shared.wgsl", sharedWgsl)],
    constants: {
      WIDTH: columns,
      X_STRIDE: vec4s(gated ? 2 * columns : columns) * 4,
      STRIDE: vec4s(columns) * 4,
      GATED: Number(gated),
      ACTIVATION: activationCode(activation),
    },
    params: [],
    size: [columns, tokens],
  }),
  variants: {
    naive: { wgsl: wgslFile("activation_naive.wgsl", naiveWgsl), tile: [64] },
    vector: {
      wgsl: wgslFile("activation_vector.wgsl", vectorWgsl),
      tile: [64 * 4],
      unsupported: ({ gated, columns }) =>
        gated && columns % 4 !== 0
          ? `gate and up of ${columns} columns do not start at a vec4`
          : undefined,
    },
  },
  tensors: ({ tokens, columns, gated }) => ({
    x: float32(tokens, gated ? 2 * columns : columns, 4),
    out: float32(tokens, columns),
  }),
  outputs: ["out"],
  cost: ({ tokens, columns, gated }) => ({
    flops: tokens * columns * (gated ? 5 : 4),
    bytesRead: 4 * tokens * columns * (gated ? 2 : 1),
    bytesWritten: 4 * tokens * columns,
  }),
  reference: ({ tokens, columns, gated, activation }, tensors) => {
    const x = host(tensors, "x");
    const out = host(tensors, "out");
    const stride = gated ? 2 * columns : columns;
    for (let t = 0; t < tokens; t++) {
      for (let f = 0; f < columns; f++) {
        const value = activate(activation, x[t * stride + f]!);
        out[t * columns + f] = gated ? value * x[t * stride + columns + f]! : value;
      }
    }
  },
  errorBound: ({ gated, activation }, { x, out }) => {
    const up = gated ? x!.max : 1;
    const activated = activationError(activation, { in: x!.max, out: out!.max / up, error: 0 });
    return activated * up + (gated ? UNIT_ROUNDOFF * out!.max : 0);
  },
  edgeCases: ({ gated, activation }) => [{
    name: "operands of 100",
    shape: { tokens: 3, columns: 64, gated, activation },
    fills: { x: { kind: "uniform", scale: 100 } },
  }],
});
