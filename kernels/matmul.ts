import {
  activate,
  ACTIVATE_WGSL,
  activationCode,
  activationError,
  type ActivationName,
} from "./activate.ts";
import { defineKernel, type KernelRecord, type VariantRecord, wgslFile } from "./define_kernel.ts";
import {
  type Cost,
  DTYPES,
  elementBytes,
  float32,
  host,
  type HostTensors,
  type Magnitude,
  NONE,
  type Tensor,
  vec4s,
  type WeightDType,
} from "./kernel.ts";
import naiveWgsl from "./matmul_naive.wgsl" with { type: "text" };
import sharedWgsl from "./matmul_shared.wgsl" with { type: "text" };
import splitInnerWgsl from "./matmul_split_inner.wgsl" with { type: "text" };
import workgroupTileWgsl from "./matmul_workgroup_tile.wgsl" with { type: "text" };
import { signedSumError, UNIT_ROUNDOFF } from "./rounding.ts";
import { registerTile } from "./register_tile.ts";
import { readWeightRow, WEIGHT_WGSL, weightTensors } from "./weight.ts";

/** A matmul out[T, N] = activation(x[T, K] W[K, N] + bias) + residual, or a column block of it. */
export interface MatmulShape {
  /** T. */
  readonly tokens: number;
  /** K. */
  readonly k: number;
  /** Columns of this weight block. */
  readonly columns: number;
  /** Storage of W. */
  readonly dtype: WeightDType;
  /** Columns of the whole output; default `columns`. */
  readonly outColumns?: number;
  /** First output column of this block, a multiple of 4; default 0. */
  readonly columnOffset?: number;
  /** Whether `bias` [1, outColumns] is added; default not. */
  readonly bias?: boolean;
  /** Whether `residual` [T, outColumns] is added; default not. */
  readonly residual?: boolean;
  /** Default none. */
  readonly activation?: ActivationName;
}

/** `x` [T, K], `weight` [K, columns], `scale`, `bias`, `residual` and `out` [T, outColumns]. */
function tensors(shape: MatmulShape): Readonly<Record<string, Tensor>> {
  const { tokens, k, columns, dtype, outColumns = columns, bias, residual } = shape;
  return {
    ...weightTensors({ rows: k, columns }, dtype),
    x: float32(tokens, k, 1),
    bias: bias ? float32(1, outColumns, 1) : NONE,
    residual: residual ? float32(tokens, outColumns, 1) : NONE,
    out: float32(tokens, outColumns),
  };
}

/** 2 T K N operations; weights, x and what the epilogue reads are read once, out is written once. */
function cost(shape: MatmulShape): Cost {
  const { tokens, k, columns, dtype, bias, residual } = shape;
  return {
    flops: 2 * tokens * k * columns,
    bytesRead: k * columns * elementBytes(dtype) + (dtype === "int8" ? columns * 4 : 0) +
      tokens * k * 4 + (bias ? columns * 4 : 0) + (residual ? tokens * columns * 4 : 0),
    bytesWritten: tokens * columns * 4,
  };
}

/** out = activation(x W + bias) + residual in float64, in the columns of this block. */
function reference(shape: MatmulShape, tensors: HostTensors): void {
  const { tokens, k, columns, outColumns = columns, columnOffset = 0 } = shape;
  const x = host(tensors, "x");
  const out = host(tensors, "out");
  const row = new Float64Array(columns);
  const sums = new Float64Array(tokens * columns);
  for (let i = 0; i < k; i++) {
    readWeightRow(tensors, i, row);
    for (let t = 0; t < tokens; t++) {
      const a = x[t * k + i]!;
      const first = t * columns;
      for (let n = 0; n < columns; n++) sums[first + n]! += a * row[n]!;
    }
  }
  const bias = shape.bias ? host(tensors, "bias") : undefined;
  const residual = shape.residual ? host(tensors, "residual") : undefined;
  const name = shape.activation ?? "none";
  for (let t = 0; t < tokens; t++) {
    for (let n = 0; n < columns; n++) {
      const at = t * outColumns + columnOffset + n;
      const sum = sums[t * columns + n]! + (bias?.[columnOffset + n] ?? 0);
      out[at] = activate(name, sum) + (residual?.[at] ?? 0);
    }
  }
}

/**
 * The sum of K products, whose terms have random signs; scale, bias and residual round once more. Partial
 * sums and magnitudes are those before the activation.
 */
function errorBound(
  shape: MatmulShape,
  tensors: Readonly<Record<string, Magnitude>>,
): number {
  const { k, activation = "none", dtype } = shape;
  const { x, weight, scale, out } = tensors;
  const w = weight!.rms * (dtype === "int8" ? scale!.max : 1);
  const bias = shape.bias ? tensors["bias"]!.max : 0;
  const residual = shape.residual ? tensors["residual"]!.max : 0;
  const sum = 4 * Math.sqrt(k) * x!.rms * w + bias;
  const error = signedSumError(k, x!.rms * w) + UNIT_ROUNDOFF * sum;
  return activationError(activation, { in: sum, out: out!.max + residual, error }) +
    2 * UNIT_ROUNDOFF * out!.max;
}

const MATMUL: Omit<KernelRecord<MatmulShape>, "name" | "variants"> = {
  fields: { tokens: "count", k: "size", columns: "size", dtype: DTYPES },
  program: (shape) => ({
    wgsl: [WEIGHT_WGSL[shape.dtype], ACTIVATE_WGSL, wgslFile("matmul_shared.wgsl", sharedWgsl)],
    constants: {
      K: shape.k,
      X_STRIDE: vec4s(shape.k) * 4,
      COLUMNS4: vec4s(shape.columns),
      OUT_STRIDE4: vec4s(shape.outColumns ?? shape.columns),
      OUT_OFFSET4: (shape.columnOffset ?? 0) / 4,
      HAS_BIAS: shape.bias ? 1 : 0,
      HAS_RESIDUAL: shape.residual ? 1 : 0,
      ACTIVATION: activationCode(shape.activation ?? "none"),
    },
    params: [shape.tokens],
    size: [shape.columns, shape.tokens],
  }),
  tensors,
  untuned: ["columnOffset"],
  outputs: ["out"],
  cost,
  reference,
  errorBound,
  edgeCases: ({ dtype, activation }) => [{
    name: "operands of 100",
    shape: { tokens: 3, k: 67, columns: 76, dtype, ...(activation ? { activation } : {}) },
    fills: { x: { kind: "uniform", scale: 100 } },
  }],
};

/** `naive`, and register tiles of so many rows and vec4 columns an invocation. */
function variants(tiles: readonly (readonly [rows: number, vectors: number])[]) {
  const named: Record<string, VariantRecord<MatmulShape>> = {
    naive: { wgsl: wgslFile("matmul_naive.wgsl", naiveWgsl), tile: [8, 8] },
  };
  for (const [rows, vectors] of tiles) {
    named[`register_tile_${rows}x${vectors * 4}`] = {
      wgsl: wgslFile("register_tile.ts", registerTile({ rows, vectors })),
      // Workgroups have 8 invocations: one native vector of a software adapter.
      tile: [8 * vectors * 4, rows],
    };
  }
  return named;
}

/** Matmul of many tokens, e.g. of a prefill. */
export const gemm = defineKernel<MatmulShape>({
  ...MATMUL,
  name: "gemm",
  variants: {
    ...variants([[4, 2], [8, 2], [16, 2]]),
    workgroup_tile: {
      wgsl: wgslFile("matmul_workgroup_tile.wgsl", workgroupTileWgsl),
      tile: [64, 64],
    },
  },
});

/** The most tokens for which a matmul counts as matrix times vectors. */
export const GEMV_TOKENS = 8;

/** Matmul of 1 to 8 tokens, e.g. of decoding. */
export const gemv = defineKernel<MatmulShape>({
  ...MATMUL,
  name: "gemv",
  unsupported: ({ tokens }) =>
    tokens > GEMV_TOKENS ? `gemv takes 1 to ${GEMV_TOKENS} tokens, not ${tokens}` : undefined,
  variants: {
    ...variants([[1, 2], [1, 4], [2, 2], [4, 2], [8, 2]]),
    split_inner: { wgsl: wgslFile("matmul_split_inner.wgsl", splitInnerWgsl), tile: [8 * 4] },
  },
});
