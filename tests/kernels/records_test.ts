import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Fill, Magnitude } from "../../kernels/kernel.ts";
import { type Operation, operation } from "../../kernels/operation.ts";
import { KERNELS } from "../../kernels/registry.ts";

const MATMUL = { tokens: 3, k: 64, columns: 8, dtype: "float32" } as const;
const CACHE = { tokens: 2, kvHeads: 2, headSize: 16, maxNumSeqs: 3, context: 64 };
const ATTENTION = { ...CACHE, heads: 4, qColumns: 128 };
const EMBEDDING = { tokens: 3, columns: 8, vocabStart: 16, rows: 10, dtype: "int8" } as const;
const ROPE = { tokens: 2, heads: 3, headSize: 16, xColumns: 64, context: 9, theta: 1e4 };
const APPEND = { ...CACHE, keyColumns: 96, keyOffset: 64, valueColumns: 32, valueOffset: 0 };
const NORM = { tokens: 3, hidden: 64, epsilon: 1e-4, residual: true };
const ACTIVATION = { tokens: 3, columns: 8, gated: true, activation: "silu" } as const;

/** The bound of an operation in units of the roundoff, of magnitudes [rms, max] by tensor. */
function units(
  own: Operation,
  magnitudes: Readonly<Record<string, readonly [number, number]>>,
): number | Readonly<Record<string, number>> {
  const given: Record<string, Magnitude> = {};
  for (const name of Object.keys(own.tensors)) given[name] = { rms: 1e9, max: 1e9 };
  for (const [name, [rms, max]] of Object.entries(magnitudes)) given[name] = { rms, max };
  const bound = own.errorBound(given);
  if (typeof bound === "number") return bound * 2 ** 24;
  return Object.fromEntries(Object.entries(bound).map(([name, one]) => [name, one * 2 ** 24]));
}

Deno.test("bounds in units of the roundoff, by hand: copies are exact, sums and norms round", () => {
  const out = (max: number) => ({ out: [9e9, max] as const });
  assertEquals(units(operation(KERNELS.add, { tokens: 1, columns: 4 }), out(3)), 3);
  assertEquals(units(operation(KERNELS.embedding, EMBEDDING), out(2)), 2);
  assertEquals(units(operation(KERNELS.embedding, { ...EMBEDDING, dtype: "float16" }), out(2)), 0);
  assertEquals(units(operation(KERNELS.kv_append, APPEND), {}), 0);
  assertEquals(units(operation(KERNELS.argmax, { rows: 1, columns: 4 }), {}), 0);
  const rope = units(operation(KERNELS.rope, ROPE), { x: [9e9, 2] });
  assertAlmostEquals(rope as number, 6 * Math.SQRT2, 1e-9);
  // 16 + sqrt(64) units of a half.
  assertEquals(units(operation(KERNELS.softmax, { rows: 1, columns: 64 }), out(0.5)), 12);
  // 8 + sqrt(64) / 2 units of 2, one of 3.
  const norm = units(operation(KERNELS.rms_norm, NORM), { ...out(2), sum: [9e9, 3] });
  assertEquals(norm, { out: 24, sum: 3 });
});

Deno.test("bounds in units of the roundoff, by hand: attention", () => {
  const given = { q: [0.5, 9e9], key_cache: [0.25, 9e9], out: [9e9, 2] } as const;
  // A score of 16 products is off by 6 * 16 / 8 / sqrt(16) = 3, weights by 16, 64 positions by 1.5 * 8.
  assertEquals(units(operation(KERNELS.attention, ATTENTION), given), 2 * (16 + 3 + 12));
  const window = operation(KERNELS.attention, { ...ATTENTION, window: 16 });
  assertEquals(units(window, given), 2 * (16 + 3 + 6));
  const wide = operation(KERNELS.attention, { ...ATTENTION, window: 1000 });
  assertEquals(units(wide, given), 62);
});

Deno.test("bounds in units of the roundoff, by hand: activations", () => {
  const of = (gated: boolean, activation: "silu" | "gelu" | "gelu_tanh" | "relu" | "none") =>
    units(operation(KERNELS.activation, { ...ACTIVATION, gated, activation }), {
      x: [9e9, 4],
      out: [9e9, 2],
    });
  assertEquals([of(false, "none"), of(false, "relu")], [0, 0]);
  assertEquals([of(false, "silu"), of(false, "gelu"), of(false, "gelu_tanh")], [16, 28, 28]);
  // An up of 4 leaves a half to the gate; the product rounds once more.
  assertEquals([of(true, "relu"), of(true, "silu"), of(true, "gelu")], [2, 16 + 2, 64 + 2]);
});

Deno.test("bounds in units of the roundoff, by hand: matmul", () => {
  const given = {
    ...{ x: [0.5, 9e9], weight: [0.25, 9e9], scale: [9e9, 0.5], out: [9e9, 4] },
    ...{ bias: [9e9, 1], residual: [9e9, 2] },
  } as const satisfies Readonly<Record<string, readonly [number, number]>>;
  const is = (changes: object, expected: number) => {
    const found = units(operation(KERNELS.gemm, { ...MATMUL, ...changes }), given) as number;
    assertAlmostEquals(found, expected, 1e-9);
  };
  // 64 products of 1/8 are off by 48, partial sums of up to 4 round once, the result twice.
  is({}, 48 + 4 + 8);
  is({ dtype: "int8" }, 24 + 2 + 8);
  is({ bias: true }, 48 + 5 + 8);
  is({ bias: true, residual: true }, 61);
  is({ bias: true, activation: "silu" }, 1.13 * 53 + 8 * 4 + 8);
  is({ bias: true, residual: true, activation: "silu" }, 1.13 * 53 + 8 * 6 + 8);
  is({ residual: true, activation: "gelu" }, 1.13 * 52 + 8 * 6 + 6 * 4 / 2 + 8);
});

/** A tensor in a word: rows x columns, storage, and what it is filled with. */
function words({ tensors }: Operation): Readonly<Record<string, string>> {
  const fill = (one: Fill) => {
    const { kind, ...rest } = one;
    return [kind, ...kind === "floats" ? [] : Object.values(rest)].join(" ");
  };
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { rows, columns, dtype, fill: own }]) => [
      name,
      `${rows}x${columns} ${dtype} ${fill(own)}`,
    ]),
  );
}

const NONE = "1x4 float32 zero";

Deno.test("tensors of each kernel: sizes, storage, and what a measurement fills them with", () => {
  assertEquals(words(operation(KERNELS.gemm, { ...MATMUL, dtype: "int8", outColumns: 12 })), {
    weight: "64x8 int8 quantised",
    scale: words(operation(KERNELS.gemm, { ...MATMUL, dtype: "int8" }))["scale"]!,
    x: "3x64 float32 uniform 1",
    bias: NONE,
    residual: NONE,
    out: "3x12 float32 zero",
  });
  const all = words(operation(KERNELS.gemv, { ...MATMUL, bias: true, residual: true }));
  assertEquals([all["bias"], all["residual"], all["scale"]], [
    "1x8 float32 uniform 1",
    "3x8 float32 uniform 1",
    NONE,
  ]);
  assertEquals(words(operation(KERNELS.attention, ATTENTION)), {
    q: "2x128 float32 uniform 1",
    slots: "1x2 uint32 words 0,0",
    positions: "1x2 uint32 words 62,63",
    key_cache: "192x32 float32 uniform 1",
    value_cache: "192x32 float32 uniform 1",
    out: "2x64 float32 zero",
  });
  assertEquals(words(operation(KERNELS.kv_append, { ...APPEND, tokenSlots: [2, 1] })), {
    key: "2x96 float32 uniform 1",
    value: "2x32 float32 uniform 1",
    slots: "1x2 uint32 words 2,1",
    positions: "1x2 uint32 words 62,63",
    key_cache: "192x32 float32 uniform 1",
    value_cache: "192x32 float32 uniform 1",
  });
  assertEquals(words(operation(KERNELS.rope, { ...ROPE, positions: [8, 3] })), {
    x: "2x64 float32 uniform 1",
    positions: "1x2 uint32 words 8,3",
    angles: "9x16 float32 floats",
    out: "2x48 float32 zero",
  });
  const ids = (changes: object) =>
    words(operation(KERNELS.embedding, { ...EMBEDDING, ...changes }))["ids"];
  assertEquals(ids({}), "1x3 uint32 integers 16 26");
  assertEquals(ids({ rows: 0 }), "1x3 uint32 integers 16 17");
  assertEquals(ids({ vocab: 90 }), "1x3 uint32 integers 0 90");
  assertEquals(words(operation(KERNELS.rms_norm, NORM)), {
    x: "3x64 float32 uniform 1",
    residual: "3x64 float32 uniform 1",
    norm_weight: "1x64 float32 uniform 1",
    out: "3x64 float32 zero",
    sum: "3x64 float32 zero",
  });
  const plain = words(operation(KERNELS.rms_norm, { ...NORM, residual: false }));
  assertEquals([plain["residual"], plain["sum"]], [NONE, NONE]);
  assertEquals(
    words(operation(KERNELS.softmax, { rows: 3, columns: 5 }))["x"],
    "3x5 float32 uniform 4",
  );
  assertEquals(words(operation(KERNELS.activation, ACTIVATION))["x"], "3x16 float32 uniform 4");
  const single = operation(KERNELS.activation, { ...ACTIVATION, gated: false });
  assertEquals(words(single)["x"], "3x8 float32 uniform 4");
  assertEquals(words(operation(KERNELS.argmax, { rows: 3, columns: 5 }))["out"], "1x3 uint32 zero");
  assertEquals(words(operation(KERNELS.add, { tokens: 3, columns: 5 })), {
    a: "3x5 float32 uniform 1",
    b: "3x5 float32 uniform 1",
    out: "3x5 float32 zero",
  });
});

/** The edge cases of an operation: their classes of shapes, and tensors that are filled otherwise. */
function edges(own: Operation): readonly string[] {
  return [...own.edgeCases()].map(([name, edge]) => {
    const tensors = words(edge);
    const input = ["x", "q", "ids", "key"].find((one) => one in tensors)!;
    const places = ["slots", "positions"].map((one) => tensors[one]?.split(" ").at(-1) ?? "");
    return [name, edge.shapeClass, tensors[input], ...places].join("; ").replace(/[; ]+$/, "");
  });
}

Deno.test("edge cases of each kernel: what measured runs do not have", () => {
  assertEquals(edges(operation(KERNELS.gemm, MATMUL)), [
    "operands of 100; gemm columns=128 dtype=float32 k=128 tokens=4; 3x67 float32 uniform 100",
  ]);
  assertEquals(edges(operation(KERNELS.gemv, { ...MATMUL, activation: "silu" })), [
    "operands of 100; gemv activation=silu columns=128 dtype=float32 k=128 tokens=4; " +
    "3x67 float32 uniform 100",
  ]);
  const far =
    "attention context=2048 headSize=16 heads=4 kvHeads=2 maxNumSeqs=2 qColumns=64 tokens=8";
  const places = "0,1,1,0,1; 1099,40,41,1001,77";
  assertEquals(edges(operation(KERNELS.attention, { ...ATTENTION, heads: 8, kvHeads: 4 })), [
    `scores of 100; ${far}; 5x64 float32 uniform 100; ${places}`,
    `far positions; ${far}; 5x64 float32 uniform 1; ${places}`,
    `a window; ${far} window=8; 5x64 float32 uniform 1; ${places}`,
  ]);
  assertEquals(edges(operation(KERNELS.kv_append, APPEND)), [
    "several sequences; kv_append context=64 headSize=16 keyColumns=64 kvHeads=2 maxNumSeqs=4 " +
    "tokens=8 valueColumns=32; 5x64 float32 uniform 1; 0,2,2,1,0; 36,0,1,17,3",
  ]);
  assertEquals(edges(operation(KERNELS.rope, ROPE)), [
    "far positions; rope context=4096 headSize=16 heads=2 tokens=4 xColumns=32; " +
    "3x32 float32 uniform 1; ; 2050,1001,1025",
  ]);
  assertEquals(edges(operation(KERNELS.embedding, EMBEDDING)), [
    "ids of other shards; embedding columns=64 dtype=int8 rows=64 tokens=32; " +
    "1x17 uint32 integers 0 90",
  ]);
  assertEquals(edges(operation(KERNELS.rms_norm, NORM)), [
    "rows smaller than epsilon; rms_norm hidden=128 residual=true tokens=4; " +
    "3x68 float32 uniform 0.01",
  ]);
  assertEquals(edges(operation(KERNELS.softmax, { rows: 1, columns: 4 })), [
    "operands of 400; softmax columns=128 rows=8; 5x67 float32 uniform 400",
  ]);
  assertEquals(edges(operation(KERNELS.activation, ACTIVATION)), [
    "operands of 100; activation activation=silu columns=64 gated=true tokens=4; " +
    "3x128 float32 uniform 100",
  ]);
  assertEquals(edges(operation(KERNELS.argmax, { rows: 1, columns: 4 })), [
    "ties; argmax columns=1024 rows=8 valid=1024; 5x1003 float32 floats",
  ]);
  assertEquals(edges(operation(KERNELS.add, { tokens: 1, columns: 4 })), []);
  const offsets = operation(KERNELS.embedding, EMBEDDING).edgeCases().get("ids of other shards")!;
  assertEquals(offsets.variants[0]!.program().constants["VOCAB_START"], 10);
});

Deno.test("the rows of ties have many largest elements, the first where it is, and larger padding", () => {
  const ties = operation(KERNELS.argmax, { rows: 1, columns: 4 }).edgeCases().get("ties")!;
  const { fill } = ties.tensors["x"]!;
  const x = fill.kind === "floats" ? fill.floats() : new Float32Array();
  const out = new Uint32Array(5);
  ties.reference({ x, out });
  const rows = [0, 1, 2, 3, 4].map((row) => [...x.subarray(1003 * row, 1003 * row + 997)]);
  const most = rows.map((row) => Math.max(...row));
  assertEquals([...out], rows.map((row, i) => row.indexOf(most[i]!)));
  // Row r is -1 - (7 column + 3 r) % (5 r + 1); in the last one the rest is never below 5.
  assertEquals([most, [...out]], [[-1, -1, -1, -1, -6], [0, 3, 7, 1, 2]]);
  const counts = rows.map((row, i) => row.filter((value) => value === most[i]).length);
  assertEquals(counts, [997, 166, 90, 63, 332]);
  for (let row = 0; row < 5; row++) {
    const padding = x.subarray(1003 * row + 997, 1003 * (row + 1));
    assertEquals([...padding], new Array(6).fill(1));
  }
});

Deno.test("shapes share tuning where their sizes round up to the same powers of two and nothing else differs", () => {
  const name = (own: Operation) => own.shapeClass;
  assertEquals(
    name(operation(KERNELS.softmax, { rows: 5, columns: 64 })),
    "softmax columns=64 rows=8",
  );
  assertEquals(
    name(operation(KERNELS.softmax, { rows: 0, columns: 65 })),
    "softmax columns=128 rows=1",
  );
  const same = <T>(of: (changes: T) => Operation, changes: readonly T[]) =>
    new Set(changes.map((one) => name(of(one)))).size === 1;
  const attention = (changes: object) => operation(KERNELS.attention, { ...ATTENTION, ...changes });
  assertEquals(same(attention, [{}, { positions: [1, 2] }, { tokenSlots: [0, 1] }]), true);
  assertEquals(same(attention, [{}, { window: 5 }]), false);
  const gemm = (changes: object) => operation(KERNELS.gemm, { ...MATMUL, ...changes });
  const blocks = [0, 4, 8].map((columnOffset) => ({ outColumns: 16, columnOffset }));
  assertEquals([same(gemm, blocks), same(gemm, [{}, { outColumns: 16 }])], [true, false]);
  const embedding = (changes: object) => operation(KERNELS.embedding, { ...EMBEDDING, ...changes });
  assertEquals(same(embedding, [{}, { vocabStart: 1000 }, { vocab: 500 }]), true);
  const norm = (changes: object) => operation(KERNELS.rms_norm, { ...NORM, ...changes });
  assertEquals([same(norm, [{}, { epsilon: 1 }]), same(norm, [{}, { residual: false }])], [
    true,
    false,
  ]);
  const rope = (changes: object) => operation(KERNELS.rope, { ...ROPE, ...changes });
  const linear = { kind: "linear", factor: 2 };
  assertEquals(same(rope, [{}, { theta: 5 }, { scaling: linear }, { positions: [1, 2] }]), true);
  const append = (changes: object) => operation(KERNELS.kv_append, { ...APPEND, ...changes });
  assertEquals(same(append, [{}, { keyOffset: 0, positions: [1, 2], tokenSlots: [1, 1] }]), true);
});
