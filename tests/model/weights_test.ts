import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { DummyWeights } from "../../model/dummy_weights.ts";
import type { CheckpointTensor, StageWeight, WeightRange } from "../../model/stage_weights.ts";
import { hostWeight, type WeightSource } from "../../model/weight_source.ts";
import { float32 } from "../../kernels/kernel.ts";
import { elementBits, nameKey } from "../../statistics/counter_generator.ts";

function tensorOf(role: CheckpointTensor["role"], rows: number, columns: number): CheckpointTensor {
  return { name: `model.${role}`, rows, columns, role };
}

function rangeOf(tensor: CheckpointTensor, rows: number[], columns: number[]): WeightRange {
  const [[rowStart, rowEnd], [columnStart, columnEnd]] = [rows, columns];
  return {
    tensor,
    rowStart: rowStart!,
    rowEnd: rowEnd!,
    columnStart: columnStart!,
    columnEnd: columnEnd!,
  };
}

function whole(tensor: CheckpointTensor): WeightRange {
  return rangeOf(tensor, [0, tensor.rows], [0, tensor.columns]);
}

/** The numbers 100 row + column, negative in odd rows. */
const counted: WeightSource = {
  read({ rowStart, rowEnd, columnStart, columnEnd }, into) {
    let at = 0;
    for (let row = rowStart; row < rowEnd; row++) {
      for (let column = columnStart; column < columnEnd; column++) {
        into[at++] = (100 * row + column) * (row % 2 ? -1 : 1);
      }
    }
    assert(at <= into.length, "an array of the range's size");
  },
  [Symbol.dispose]() {},
};

function weight(
  layout: StageWeight["layout"],
  ranges: readonly WeightRange[],
  [rows, columns, dtype = "float32"]: readonly [number, number, ("float32" | "int8")?],
): StageWeight {
  const tensor = { ...float32(rows, columns), dtype };
  const scale = dtype === "int8" ? float32(1, columns) : undefined;
  return { name: "w", tensor, scale, layout, ranges };
}

Deno.test("seeded weights have the spread of their role, and fill it evenly", () => {
  const untied = new DummyWeights(3, { tiedEmbeddings: false });
  const tied = new DummyWeights(3, { tiedEmbeddings: true });
  // The bound of a uniform distribution is sqrt(3) standard deviations.
  for (
    const [source, role, center, bound] of [
      [untied, "matrix", 0, Math.sqrt(3 / 64)],
      [untied, "head", 0, Math.sqrt(3 / 64)],
      [untied, "embedding", 0, Math.sqrt(3)],
      [tied, "embedding", 0, Math.sqrt(3 / 64)],
      [untied, "norm", 1, 0.5],
      [untied, "bias", 0, 0.5],
    ] as const
  ) {
    const tensor = tensorOf(role, 100, 64);
    const values = new Float32Array(6400);
    source.read(whole(tensor), values);
    assertAlmostEquals(source.bound(tensor), bound, 1e-12, role);
    const off = values.map((value) => value - center);
    assert(off.every((value) => Math.abs(value) <= bound * (1 + 1e-6)), role);
    assert(Math.min(...off) < -0.99 * bound && Math.max(...off) > 0.99 * bound, role);
    // The mean's standard deviation is bound / sqrt(3 * 6400).
    assert(Math.abs(off.reduce((sum, value) => sum + value, 0) / 6400) < 0.03 * bound, role);
  }
});

Deno.test("a seeded number depends on the seed, the name and its place in the uncut tensor alone", () => {
  const tensor = tensorOf("matrix", 5, 7);
  const source = new DummyWeights(1, { tiedEmbeddings: false });
  const all = new Float32Array(35);
  source.read(whole(tensor), all);
  const cut = new Float32Array(6);
  source.read(rangeOf(tensor, [2, 4], [3, 6]), cut);
  assertEquals([...cut], [17, 18, 19, 24, 25, 26].map((i) => all[i]!));
  const other = new Float32Array(35);
  new DummyWeights(2, { tiedEmbeddings: false }).read(whole(tensor), other);
  assertEquals(all.filter((value, i) => value === other[i]).length, 0);
});

Deno.test("rows of ranges become columns, one range after another; rows past the end are zeros", () => {
  const tensor = tensorOf("matrix", 3, 4);
  const ranges = [rangeOf(tensor, [0, 2], [1, 3]), rangeOf(tensor, [2, 4], [1, 3])];
  const { values, scales } = hostWeight(weight("transposed", ranges, [2, 4]), counted);
  assertEquals([...values], [1, -101, 201, 0, 2, -102, 202, 0]);
  assertEquals(scales, undefined);
  const plain = hostWeight(weight("plain", [rangeOf(tensor, [1, 4], [0, 2])], [3, 2]), counted);
  assertEquals([...plain.values], [-100, -101, 200, 201, 0, 0]);
});

Deno.test("vectors stand one after another; many rows are read in parts and lose none", () => {
  const vectors = [tensorOf("bias", 1, 3), tensorOf("bias", 1, 2)].map(whole);
  assertEquals([...hostWeight(weight("vector", vectors, [1, 5]), counted).values], [0, 1, 2, 0, 1]);
  const tall = tensorOf("matrix", 130, 2);
  const { values } = hostWeight(weight("transposed", [whole(tall)], [2, 130]), counted);
  assertEquals(
    [...values],
    [0, 1].flatMap((column) =>
      Array.from({ length: 130 }, (_, row) => (100 * row + column) * (row % 2 ? -1 : 1))
    ),
  );
  const table = hostWeight(weight("plain", [whole(tall)], [130, 2]), counted);
  assertEquals([...table.values.slice(126, 132)], [-6300, -6301, 6400, 6401, -6500, -6501]);
});

Deno.test("int8 values are multiples of a 127th of their column's largest, in the uncut tensor", () => {
  const tensor = tensorOf("matrix", 3, 4);
  // A row of the checkpoint is a column: its largest is its last number, though columns 0 and 1 are read.
  const cut = hostWeight(
    weight("transposed", [rangeOf(tensor, [1, 3], [0, 2])], [2, 2, "int8"]),
    counted,
  );
  assertEquals([...cut.scales!], [103, 203].map((most) => Math.fround(most / 127)));
  assertEquals(
    [...cut.values],
    [-100 * 127 / 103, 200 * 127 / 203, -101 * 127 / 103, 201 * 127 / 203].map(Math.round),
  );
  // In a plain table a column is a column.
  const plain = hostWeight(
    weight("plain", [rangeOf(tensor, [0, 1], [0, 4])], [1, 4, "int8"]),
    counted,
  );
  assertEquals([...plain.scales!], [200, 201, 202, 203].map((most) => Math.fround(most / 127)));
  assertEquals([...plain.values], [0, 1 * 127 / 201, 2 * 127 / 202, 3 * 127 / 203].map(Math.round));
  // A source that knows its bound is not read for it; a column of zeros has no scale.
  const bounded: WeightSource = { ...counted, bound: () => 254 };
  const known = hostWeight(
    weight("transposed", [rangeOf(tensor, [1, 3], [0, 2])], [2, 2, "int8"]),
    bounded,
  );
  assertEquals([[...known.scales!], [...known.values]], [[2, 2], [-50, 100, -50, 101]]);
  const zeros: WeightSource = { ...counted, read: () => {} };
  const none = hostWeight(weight("plain", [whole(tensor)], [3, 4, "int8"]), zeros);
  assertEquals([[...none.scales!], [...none.values]], [Array(4).fill(0), Array(12).fill(0)]);
});

Deno.test("a number is 24 bits of its place, between -1 and 1 of the bound, around 1 in norms", () => {
  const source = new DummyWeights(5, { tiedEmbeddings: true });
  for (const [role, center] of [["matrix", 0], ["norm", 1]] as const) {
    const tensor = tensorOf(role, 3, 4);
    const seen = new Float32Array(2);
    source.read(rangeOf(tensor, [1, 2], [2, 4]), seen);
    const bound = role === "norm" ? 0.5 : Math.sqrt(3 / 4);
    const expected = [6, 7].map((i) => {
      const bits = Math.floor(elementBits(nameKey(tensor.name, 5), i) / 256);
      return Math.fround(center + (bits / 2 ** 23 - 1) * bound);
    });
    seen.forEach((value, i) => assertAlmostEquals(value, expected[i]!, 1e-7));
  }
});

Deno.test("scales of several ranges follow each other, whether read or known", () => {
  const tensor = tensorOf("matrix", 3, 4);
  const ranges = [rangeOf(tensor, [0, 2], [0, 2]), rangeOf(tensor, [1, 3], [0, 2])];
  const read = hostWeight(weight("transposed", ranges, [2, 4, "int8"]), counted);
  const most = [3, 103, 103, 203].map((one) => Math.fround(one / 127));
  assertEquals([...read.scales!], most);
  let next = 0;
  const bounded: WeightSource = { ...counted, bound: () => [127, 254][next++]! };
  const known = hostWeight(weight("transposed", ranges, [2, 4, "int8"]), bounded);
  assertEquals([...known.scales!], [1, 1, 2, 2]);
  // Many rows are read in parts: each has its own largest.
  const tall = tensorOf("matrix", 130, 2);
  const parts = hostWeight(weight("transposed", [whole(tall)], [2, 130, "int8"]), counted);
  assertEquals(
    [...parts.scales!],
    Array.from({ length: 130 }, (_, row) => Math.fround((100 * row + 1) / 127)),
  );
});
