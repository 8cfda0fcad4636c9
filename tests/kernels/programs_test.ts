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
