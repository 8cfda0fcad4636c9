import { assertThrows } from "@std/assert";
import type { Kernel } from "../../kernels/kernel.ts";
import { operation } from "../../kernels/operation.ts";
import { KERNELS } from "../../kernels/registry.ts";

const MATMUL = { tokens: 1, k: 8, columns: 8, dtype: "float32" };
const NORM = { tokens: 1, hidden: 8, epsilon: 1e-5, residual: false };

/** A kernel, a shape that TypeScript would refuse or that no device can run, and what is said of it. */
const WRONG: readonly (readonly [keyof typeof KERNELS, object, string])[] = [
  [
    "softmax",
    { tokens: 3, columns: 4 },
    "Cannot run softmax: shape.rows is undefined; legal: a who",
  ],
  ["softmax", { rows: 3, columns: 0 }, "shape.columns is 0; legal: a whole number, 1 or more"],
  ["softmax", { rows: -1, columns: 4 }, "shape.rows is -1; legal: a whole number, 0 or more"],
  ["gemm", { ...MATMUL, k: 1.5 }, "shape.k is 1.5"],
  ["gemv", { ...MATMUL, outColumns: NaN }, "shape.outColumns is NaN"],
  ["gemv", { ...MATMUL, dtype: "bfloat16" }, 'is "bfloat16"; legal: float32, float16, int8'],
  ["rms_norm", { ...NORM, epsilon: 0 }, "shape.epsilon is 0; legal: a number above 0"],
  ["rms_norm", { ...NORM, residual: "no" }, 'shape.residual is "no"; legal: true, false'],
];

for (const [name, shape, message] of WRONG) {
  Deno.test(`a wrong shape is refused by the name of its field: ${name} ${Deno.inspect(shape)}`, () => {
    const kernel = KERNELS[name] as unknown as Kernel<object>;
    assertThrows(() => operation(kernel, shape), RangeError, message);
  });
}
