import type { WgslPart } from "../device/program.ts";
import naiveWgsl from "./add_naive.wgsl" with { type: "text" };
import sharedWgsl from "./add_shared.wgsl" with { type: "text" };
import vectorWgsl from "./add_vector.wgsl" with { type: "text" };
import { elementGroups } from "./elementwise.ts";
import { float32, host, type Kernel, UNIT_ROUNDOFF, type Variant, vec4s } from "./kernel.ts";
import { wgslFile } from "./wgsl_file.ts";

/** The sum of two matrices [tokens, columns]. */
export interface AddShape {
  /** T. */
  readonly tokens: number;
  /** H. */
  readonly columns: number;
}

function variant(
  name: string,
  wgsl: WgslPart,
  width: (columns: number) => number,
): Variant<AddShape> {
  return {
    name,
    program: ({ tokens, columns }) => ({
      name: `add/${name}`,
      wgsl: [wgslFile("add_shared.wgsl", sharedWgsl), wgsl],
      bindings: [
        { name: "a", access: "read" },
        { name: "b", access: "read" },
        { name: "out", access: "read_write" },
      ],
      constants: { WIDTH: columns, STRIDE: vec4s(columns) * 4 },
      params: [],
      workgroups: elementGroups({ rows: tokens, width: width(columns) }, 64),
    }),
  };
}

/** out = a + b. */
export const add: Kernel<AddShape> = {
  name: "add",
  fields: { tokens: "count", columns: "size" },
  variants: [
    variant("naive", wgslFile("add_naive.wgsl", naiveWgsl), (n) => n),
    variant("vector", wgslFile("add_vector.wgsl", vectorWgsl), vec4s),
  ],
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
  errorBound: (_, { a, b }) => UNIT_ROUNDOFF * (a!.max + b!.max) + a!.error + b!.error,
};
