import { assertAlmostEquals, assertEquals } from "@std/assert";
import { activate } from "../../kernels/activate.ts";
import { type Tensor, vec4s } from "../../kernels/kernel.ts";
import { packTensor, unpackTensor } from "../../kernels/pack.ts";
import { difference } from "../../kernels/reference_run.ts";
import { KERNELS } from "../../kernels/registry.ts";

Deno.test("activations are those of published tables", () => {
  // x Phi(x) with Abramowitz and Stegun's table 26.1; the last ones by the tail 26.2.
  const gelu = [[0, 0], [1, 0.8413447461], [-1, -0.1586552539], [3, 2.9959503061], [
    -3,
    -4.0496941e-3,
  ]];
  for (const [x, y] of gelu) assertAlmostEquals(activate("gelu", x!), y!, 1e-9);
  assertAlmostEquals(activate("gelu", -5) / (-5 * 2.866515719e-7), 1, 1e-6);
  assertEquals([activate("gelu", 9), activate("gelu", -9)], [9, -0]);
  assertAlmostEquals(activate("silu", 1), 1 / (1 + Math.exp(-1)), 1e-12);
  assertAlmostEquals(activate("silu", -2), -2 / (1 + Math.exp(2)), 1e-12);
  // PyTorch: gelu(1, approximate="tanh") is 0.8411920.
  assertAlmostEquals(activate("gelu_tanh", 1), 0.841192, 1e-6);
  assertAlmostEquals(activate("gelu_tanh", -1), -0.158808, 1e-6);
  assertEquals([activate("relu", 2), activate("relu", -2), activate("none", -2)], [2, 0, -2]);
});

Deno.test("rows are padded with zeros to a whole vec4, and come back without", () => {
  const tensor: Tensor = { rows: 2, columns: 3, dtype: "float32", fill: { kind: "zero" } };
  assertEquals([vec4s(3), vec4s(4), vec4s(5)], [1, 1, 2]);
  const packed = packTensor(tensor, Float32Array.of(1, 2, 3, 4, 5, 6));
  assertEquals([...new Float32Array(packed.buffer)], [1, 2, 3, 0, 4, 5, 6, 0]);
  assertEquals([...unpackTensor(tensor, packed.buffer)], [1, 2, 3, 4, 5, 6]);
  const whole = { ...tensor, columns: 4 };
  const eight = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  assertEquals([...new Float32Array(packTensor(whole, eight).buffer)], [...eight]);
  assertEquals(unpackTensor(whole, eight.buffer).length, 8);
});

Deno.test("an element is wrong beyond the tolerance, and what is no number always is", () => {
  const tensor: Tensor = { rows: 1, columns: 4, dtype: "float32", fill: { kind: "zero" } };
  const expected = { tensor, values: Float64Array.of(1, 2, 3, 4), tolerance: 0.5 };
  const found = (...seen: number[]) => difference(Float32Array.from(seen), expected);
  assertEquals(found(1.5, 2, 3, 4), { wrongElements: 0, maxAbsError: 0.5, firstWrong: -1 });
  assertEquals(found(1, 1, 3, 6), { wrongElements: 2, maxAbsError: 2, firstWrong: 1 });
  assertEquals(found(NaN, 2, 3, 4), { wrongElements: 1, maxAbsError: Infinity, firstWrong: 0 });
});

Deno.test("the greedy choice takes the lowest of equals, and no padding", () => {
  const shape = { rows: 2, columns: 4, valid: 3 };
  const out = new Uint32Array(2);
  KERNELS.argmax.reference(shape, { x: Float32Array.of(1, 5, 5, 9, 7, -1, 7, 0), out });
  assertEquals([...out], [1, 0]);
});
