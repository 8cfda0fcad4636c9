import naiveWgsl from "./add_naive.wgsl" with { type: "text" };
import sharedWgsl from "./add_shared.wgsl" with { type: "text" };
import vectorWgsl from "./add_vector.wgsl" with { type: "text" };
import { defineKernel, wgslFile } from "./define_kernel.ts";
import { float32, host, UNIT_ROUNDOFF, vec4s } from "./kernel.ts";

/** The sum of two matrices [tokens, columns]. */
export interface AddShape {
  /** T. */
  readonly tokens: number;
  /** H. */
  readonly columns: number;
}

/** out = a + b. */
export const add = defineKernel<AddShape>({
  name: "add",
  fields: { tokens: "count", columns: "size" },
  program: ({ tokens, columns }) => ({
    wgsl: [wgslFile("add_shared.wgsl", sharedWgsl)],
    constants: { WIDTH: columns, STRIDE: vec4s(columns) * 4 },
    params: [],
    size: [columns, tokens],
  }),
  variants: {
    naive: { wgsl: wgslFile("add_naive.wgsl", naiveWgsl), tile: [64] },
    vector: { wgsl: wgslFile("add_vector.wgsl", vectorWgsl), tile: [64 * 4] },
  },
  tensors: ({ tokens, columns }) => ({
    a: float32(tokens, columns, 1),
    b: float32(tokens, columns, 1),
    out: float32(tokens, columns),
  }),
  outputs: ["out"],
  cost: ({ tokens, columns }) => ({
    flops: tokens * columns,
    bytesRead: 8 * tokens * columns,
    bytesWritten: 4 * tokens * columns,
  }),
  reference: (_, tensors) => {
    const a = host(tensors, "a");
    const b = host(tensors, "b");
    const out = host(tensors, "out");
    for (let i = 0; i < out.length; i++) out[i] = a[i]! + b[i]!;
  },
  errorBound: (_, { out }) => UNIT_ROUNDOFF * out!.max,
});
