import { assertAlmostEquals, assertEquals } from "@std/assert";
import { type Operation, operation } from "../../kernels/operation.ts";
import { KERNELS } from "../../kernels/registry.ts";
import type { RopeScaling } from "../../kernels/rope.ts";

const MATRIX = { k: 64, columns: 1030, dtype: "float32" } as const;
const CACHE = { tokens: 5, kvHeads: 3, headSize: 64, maxNumSeqs: 2, context: 9 };

/** Operations whose rows end in the middle of a tile, with the workgroups of each variant along x and y. */
const STARTED: readonly (readonly [Operation, Readonly<Record<string, readonly number[]>>])[] = [
  [
    operation(KERNELS.embedding, { ...MATRIX, tokens: 5, vocabStart: 0, rows: 10 }),
    { naive: [129, 1], vector: [33, 5] },
  ],
  [
    operation(KERNELS.rms_norm, { tokens: 70, hidden: 1030, epsilon: 1e-5, residual: true }),
    { naive: [2, 1], vector: [9, 1], split_row: [70, 1], workgroup_row: [70, 1] },
  ],
  [operation(KERNELS.gemm, { ...MATRIX, tokens: 70 }), {
    naive: [129, 9],
    register_tile_4x8: [17, 18],
    register_tile_8x8: [17, 9],
    register_tile_16x8: [17, 5],
    workgroup_tile: [17, 2],
  }],
  [operation(KERNELS.gemv, { ...MATRIX, tokens: 3 }), {
    naive: [129, 1],
    register_tile_1x8: [17, 3],
    register_tile_1x16: [9, 3],
    register_tile_2x8: [17, 2],
    register_tile_4x8: [17, 1],
    register_tile_8x8: [17, 1],
    split_inner: [33, 3],
  }],
  [
    operation(KERNELS.rope, {
      ...{ tokens: 5, heads: 9, headSize: 128, xColumns: 2000, context: 9, theta: 1e4 },
    }),
    { naive: [9, 5], vector: [18, 5] },
  ],
  [
    operation(KERNELS.kv_append, {
      ...CACHE,
      ...{ keyColumns: 192, keyOffset: 0, valueColumns: 192, valueOffset: 0 },
    }),
    { naive: [6, 5] },
  ],
  [
    operation(KERNELS.attention, { ...CACHE, heads: 9, qColumns: 576 }),
    { naive: [18, 5], online: [2, 5], workgroup_chunks: [9, 5] },
  ],
  [
    operation(KERNELS.activation, {
      tokens: 5,
      columns: 1032,
      gated: true,
      activation: "silu" as const,
    }),
    { naive: [17, 5], vector: [5, 5] },
  ],
  [
    operation(KERNELS.softmax, { rows: 70, columns: 1030 }),
    { naive: [2, 1], vector: [9, 1], split_row: [70, 1], workgroup_row: [70, 1] },
  ],
  [operation(KERNELS.add, { tokens: 5, columns: 1030 }), { naive: [17, 5], vector: [5, 5] }],
  [
    operation(KERNELS.argmax, { rows: 70, columns: 1030 }),
    { naive: [2, 1], vector: [9, 1], split_row: [70, 1], workgroup_row: [70, 1] },
  ],
];

Deno.test("a variant starts as many workgroups as its tiles cover the output, and no more", () => {
  assertEquals(STARTED.map(([{ kernel }]) => kernel).sort(), Object.keys(KERNELS).sort());
  for (const [{ kernel, variants }, expected] of STARTED) {
    const started = variants.map((variant) => [variant.name, [...variant.program().workgroups]]);
    const three = Object.entries(expected).map(([name, counts]) => [name, [...counts, 1]]);
    assertEquals(started, three, kernel);
  }
});

Deno.test("a row kernel's workgroups have as many invocations as the variant says", () => {
  for (const name of ["rms_norm", "softmax", "argmax"]) {
    const [op] = STARTED.find(([{ kernel }]) => kernel === name)!;
    const sizes = Object.fromEntries(
      op.variants.map((variant) => [variant.name, variant.program().constants["WORKGROUP_SIZE"]]),
    );
    assertEquals([sizes["split_row"], sizes["workgroup_row"]], [8, 256], name);
  }
});

/** Frequencies as the branches of Hugging Face's rope utilities write them. */
function frequency(i: number, headSize: number, theta: number, scaling?: RopeScaling): number {
  const plain = 1 / theta ** (2 * i / headSize);
  if (scaling === undefined) return plain;
  if (scaling.kind === "linear") return plain / scaling.factor;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const wave = 2 * Math.PI / plain;
  if (wave < originalMaxPositions / highFreqFactor) return plain;
  if (wave > originalMaxPositions / lowFreqFactor) return plain / factor;
  const smooth = (originalMaxPositions / wave - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - smooth) * plain / factor + smooth * plain;
}

Deno.test("the table of angles is cos, then sin, of positions times frequencies, stretched or not", () => {
  const [context, headSize, theta] = [50, 16, 10_000];
  const llama3 = { kind: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4 } as const;
  const scalings = [undefined, { kind: "linear", factor: 4 }, {
    ...llama3,
    originalMaxPositions: 512,
  }] as const;
  for (const scaling of scalings) {
    const shape = { tokens: 2, heads: 1, headSize, xColumns: 16, context, theta, scaling };
    const { fill } = operation(KERNELS.rope, shape).tensors["angles"]!;
    const angles = fill.kind === "floats" ? fill.floats() : new Float32Array();
    assertEquals(angles.length, context * headSize);
    for (let p = 0; p < context; p++) {
      for (let i = 0; i < headSize / 2; i++) {
        const angle = p * frequency(i, headSize, theta, scaling);
        const where = `${scaling?.kind}, position ${p}, pair ${i}`;
        assertAlmostEquals(angles[p * headSize + i]!, Math.cos(angle), 1e-6, where);
        assertAlmostEquals(angles[p * headSize + headSize / 2 + i]!, Math.sin(angle), 1e-6, where);
      }
    }
  }
});

Deno.test("constants of programs are sizes of ragged shapes, strides in floats or vec4s", () => {
  const cache = { tokens: 2, kvHeads: 2, headSize: 16, maxNumSeqs: 3, context: 64 };
  const block = { outColumns: 22, columnOffset: 8 };
  const constants = [
    operation(KERNELS.gemm, {
      ...{ ...block, tokens: 3, k: 65, columns: 10, dtype: "float32" },
      ...{ bias: true, activation: "gelu" },
    }),
    operation(KERNELS.gemv, { tokens: 3, k: 4, columns: 9, dtype: "int8", residual: true }),
    operation(KERNELS.attention, { ...cache, heads: 6, qColumns: 130, window: 9 }),
    operation(KERNELS.embedding, {
      ...{ ...block, tokens: 3, columns: 10, vocabStart: 16, rows: 9, dtype: "int8" },
    }),
    operation(KERNELS.rope, {
      ...{ tokens: 2, heads: 3, headSize: 18, xColumns: 66, context: 9, theta: 1e4 },
    }),
    operation(KERNELS.kv_append, {
      ...{ ...cache, keyColumns: 98, keyOffset: 64, valueColumns: 42, valueOffset: 8 },
    }),
    operation(KERNELS.rms_norm, { tokens: 3, hidden: 65, epsilon: 1e-4, residual: true }),
    operation(KERNELS.activation, {
      tokens: 3,
      columns: 9,
      gated: true,
      activation: "relu" as const,
    }),
    operation(KERNELS.activation, {
      tokens: 3,
      columns: 9,
      gated: false,
      activation: "silu" as const,
    }),
    operation(KERNELS.softmax, { rows: 3, columns: 9 }),
    operation(KERNELS.add, { tokens: 3, columns: 9 }),
    operation(KERNELS.argmax, { rows: 3, columns: 9, valid: 7 }),
  ].map(({ variants }) => {
    const program = variants[0]!.program();
    return [...Object.values(program.constants), "|", ...program.params].join(" ");
  });
  assertEquals(constants, [
    "65 68 3 6 2 1 0 2 | 3",
    "4 4 3 3 0 0 1 0 | 3",
    "6 3 4 64 9 33 0.25 | 2",
    "9 16 3 6 2 | 3",
    "3 9 68 56 |",
    "8 25 16 11 2 64 3 |",
    "65 17 0.0001 1 | 3",
    "9 20 12 1 4 |",
    "9 12 12 0 1 |",
    "9 3 | 3",
    "9 12 |",
    "7 12 64 | 3",
  ]);
});

Deno.test("variants say which shapes they cannot run", () => {
  const unable = ({ variants }: Operation) =>
    variants.flatMap(({ name, unsupported }) => unsupported ? [`${name}: ${unsupported}`] : []);
  const attention = (headSize: number) =>
    unable(operation(KERNELS.attention, { ...CACHE, headSize, heads: 3, qColumns: 3 * headSize }));
  assertEquals([attention(256), attention(260)], [[], [
    "workgroup_chunks: head size 260 is above 256",
  ]]);
  const gemv = (tokens: number) => unable(operation(KERNELS.gemv, { ...MATRIX, tokens }));
  assertEquals([gemv(8), gemv(9)[0], gemv(9).length], [
    [],
    "naive: gemv takes 1 to 8 tokens, not 9",
    7,
  ]);
  const activation = (columns: number, gated: boolean) =>
    unable(
      operation(KERNELS.activation, { tokens: 1, columns, gated, activation: "silu" as const }),
    );
  assertEquals([activation(8, true), activation(9, false), activation(9, true)], [[], [], [
    "vector: gate and up of 9 columns do not start at a vec4",
  ]]);
  const rope = (headSize: number) =>
    unable(operation(KERNELS.rope, {
      ...{ tokens: 1, heads: 1, headSize, xColumns: headSize, context: 4, theta: 1e4 },
    }));
  assertEquals([rope(16), rope(12)], [[], ["vector: head size 12 is no multiple of 8"]]);
});
