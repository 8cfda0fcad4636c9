import { assert, assertEquals } from "@std/assert";
import { fillTensor } from "../../../bench/measure/fill.ts";
import type { DType, Fill } from "../../../kernels/kernel.ts";

function filled(dtype: DType, fill: Fill, { rows = 50, columns = 21, name = "x", seed = 7 } = {}) {
  return [...fillTensor({ rows, columns, dtype, fill }, name, seed)];
}

Deno.test("random fills depend on name and seed alone, and stay in their range", () => {
  const cases: readonly (readonly [DType, Fill, number, number])[] = [
    ["float32", { kind: "uniform", scale: 3 }, -3, 3],
    ["float16", { kind: "uniform", scale: 0.5 }, -0.5, 0.5],
    ["float32", { kind: "scales", scale: 2 }, 1, 3],
    ["int8", { kind: "quantised" }, -127, 127],
    ["uint32", { kind: "integers", below: 10 }, 0, 9],
  ];
  for (const [dtype, fill, low, high] of cases) {
    const values = filled(dtype, fill);
    assert(Math.min(...values) >= low && Math.max(...values) <= high, fill.kind);
    assert(Math.max(...values) - Math.min(...values) >= 0.95 * (high - low), fill.kind);
    assertEquals(filled(dtype, fill, { rows: 1 }), values.slice(0, 21), "a larger one begins so");
    for (const other of [{ name: "y" }, { seed: 8 }]) {
      assert(filled(dtype, fill, other).join() !== values.join(), fill.kind);
    }
  }
});

Deno.test("a fill's numbers are those of every earlier version", () => {
  const four = { rows: 1, columns: 4 };
  const uniform = filled("float32", { kind: "uniform", scale: 1 }, four);
  assertEquals(uniform, [
    0.23350830376148224,
    -0.53217613697052,
    0.6999581456184387,
    0.6333407759666443,
  ]);
  assertEquals(filled("uint32", { kind: "integers", below: 32000 }, four), [
    10897,
    4155,
    8327,
    20619,
  ]);
  assertEquals(filled("float32", { kind: "zero" }, four), [0, 0, 0, 0]);
});
