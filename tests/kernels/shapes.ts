import { ACTIVATIONS } from "../../kernels/activate.ts";
import { DTYPES, type Kernel } from "../../kernels/kernel.ts";
import { KERNELS } from "../../kernels/registry.ts";
import { type Operation, operation } from "../../kernels/operation.ts";

function shapesOf<Shape>(kernel: Kernel<Shape>, shapes: readonly Shape[]): Operation[] {
  return shapes.map((shape) => operation(kernel, shape));
}

const products = DTYPES.flatMap((dtype) => [
  { tokens: 1, k: 1, columns: 1, dtype },
  { tokens: 7, k: 31, columns: 13, dtype, activation: "gelu" as const },
  { tokens: 5, k: 64, columns: 72, dtype, bias: true, residual: true },
]);

const cache = { kvHeads: 2, headSize: 16, maxNumSeqs: 3, context: 37 };
const mixed = {
  ...cache,
  tokens: 6,
  tokenSlots: [0, 2, 2, 2, 1, 0],
  positions: [36, 0, 1, 2, 17, 3],
};

/** Ragged shapes for every kernel: 1, primes, nothing that is a multiple of a tile, empty shards. */
export const RAGGED: Readonly<Record<keyof typeof KERNELS, readonly Operation[]>> = {
  embedding: shapesOf(
    KERNELS.embedding,
    DTYPES.flatMap((dtype) => [
      { tokens: 1, columns: 1, vocabStart: 0, rows: 1, dtype },
      { tokens: 17, columns: 37, vocabStart: 10, rows: 53, dtype, vocab: 90 },
      { tokens: 3, columns: 8, vocabStart: 64, rows: 0, dtype, vocab: 64 },
    ]),
  ),
  rms_norm: shapesOf(KERNELS.rms_norm, [
    { tokens: 1, hidden: 1, epsilon: 1e-5, residual: false },
    { tokens: 11, hidden: 53, epsilon: 1e-5, residual: true },
    { tokens: 67, hidden: 260, epsilon: 1e-6, residual: true },
    { tokens: 3, hidden: 1031, epsilon: 1e-5, residual: false },
  ]),
  gemm: shapesOf(KERNELS.gemm, [
    ...products,
    ...DTYPES.map((dtype) => ({ tokens: 67, k: 53, columns: 131, dtype, bias: true })),
  ]),
  gemv: shapesOf(KERNELS.gemv, [
    ...products,
    ...ACTIVATIONS.map((activation) => ({
      tokens: 3,
      k: 97,
      columns: 101,
      dtype: "float32" as const,
      activation,
    })),
    { tokens: 8, k: 19, columns: 300, dtype: "int8" },
  ]),
  rope: shapesOf(KERNELS.rope, [
    { tokens: 1, heads: 1, headSize: 4, xColumns: 4, context: 1, theta: 1e4 },
    { tokens: 5, heads: 3, headSize: 16, xColumns: 61, context: 4099, theta: 1e4 },
    {
      tokens: 3,
      heads: 7,
      headSize: 24,
      xColumns: 168,
      context: 97,
      theta: 5e5,
      positions: [96, 0, 41],
    },
  ]),
  kv_append: shapesOf(KERNELS.kv_append, [
    { ...cache, tokens: 1, keyColumns: 32, keyOffset: 0, valueColumns: 32, valueOffset: 0 },
    { ...mixed, keyColumns: 128, keyOffset: 64, valueColumns: 101, valueOffset: 68 },
  ]),
  attention: shapesOf(KERNELS.attention, [
    { ...cache, tokens: 1, heads: 2, qColumns: 32, maxNumSeqs: 1, context: 1 },
    { ...mixed, heads: 6, qColumns: 99 },
    { ...cache, tokens: 37, heads: 4, qColumns: 64 },
    { ...cache, tokens: 37, heads: 4, qColumns: 64, window: 5 },
    { ...mixed, heads: 6, qColumns: 99, window: 17 },
    {
      tokens: 1,
      heads: 2,
      kvHeads: 1,
      headSize: 32,
      maxNumSeqs: 1,
      context: 331,
      qColumns: 64,
      window: 100,
    },
    { tokens: 1, heads: 8, kvHeads: 1, headSize: 128, maxNumSeqs: 1, context: 131, qColumns: 1024 },
    { tokens: 2, heads: 3, kvHeads: 3, headSize: 20, maxNumSeqs: 1, context: 67, qColumns: 60 },
  ]),
  activation: shapesOf(
    KERNELS.activation,
    ACTIVATIONS.flatMap((activation) => [
      { tokens: 3, columns: 53, gated: false, activation },
      { tokens: 2, columns: 53, gated: true, activation },
      { tokens: 5, columns: 264, gated: true, activation },
    ]),
  ),
  softmax: shapesOf(KERNELS.softmax, [
    { rows: 1, columns: 1 },
    { rows: 11, columns: 53 },
    { rows: 67, columns: 1031 },
  ]),
  add: shapesOf(KERNELS.add, [{ tokens: 1, columns: 1 }, { tokens: 7, columns: 67 }]),
  argmax: shapesOf(KERNELS.argmax, [
    { rows: 1, columns: 1 },
    { rows: 13, columns: 1003, valid: 997 },
    // The first column of padding is the largest of a row in one of nine, and in one of 257.
    { rows: 64, columns: 9, valid: 8 },
    { rows: 1024, columns: 257, valid: 256 },
    { rows: 67, columns: 5 },
  ]),
};
