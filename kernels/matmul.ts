import type { Program, WgslPart } from "../device/program.ts";
import {
  activate,
  ACTIVATE_WGSL,
  activationCode,
  activationError,
  type ActivationName,
} from "./activate.ts";
import {
  type Cost,
  DTYPES,
  elementBytes,
  float32,
  host,
  type HostTensors,
  type Kernel,
  type Magnitude,
  NONE,
  type Tensor,
  UNIT_ROUNDOFF,
  vec4s,
  type WeightDType,
} from "./kernel.ts";
import sharedWgsl from "./matmul_shared.wgsl" with { type: "text" };
import { readWeightRow, WEIGHT_WGSL, weightTensors } from "./weight.ts";
import { wgslFile } from "./wgsl_file.ts";

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

/** What kernels of matmul have in common. */
export const MATMUL: Omit<Kernel<MatmulShape>, "name" | "variants"> = {
  fields: { tokens: "count", k: "size", columns: "size", dtype: DTYPES },
  tensors,
  untuned: ["columnOffset"],
  outputs: ["out"],
  cost,
  reference,
  errorBound,
};

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

/** The part of a product's shader that differs, and what a workgroup of it computes. */
export interface MatmulTile {
  readonly wgsl: WgslPart;
  /** Rows of the output. */
  readonly rows: number;
  /** vec4 columns of the output. */
  readonly vectors: number;
}

/** The program of a variant. */
export function matmulProgram(name: string, shape: MatmulShape, tile: MatmulTile): Program {
  const { tokens, k, columns, dtype, outColumns = columns, columnOffset = 0 } = shape;
  return {
    name,
    wgsl: [
      WEIGHT_WGSL[dtype],
      ACTIVATE_WGSL,
      wgslFile("matmul_shared.wgsl", sharedWgsl),
      tile.wgsl,
    ],
    bindings: [
      { name: "weight", access: "read" },
      { name: "scale", access: "read" },
      { name: "x", access: "read" },
      { name: "bias", access: "read" },
      { name: "residual", access: "read" },
      { name: "out", access: "read_write" },
      { name: "params", access: "uniform" },
    ],
    constants: {
      K: k,
      X_STRIDE: vec4s(k) * 4,
      COLUMNS4: vec4s(columns),
      OUT_STRIDE4: vec4s(outColumns),
      OUT_OFFSET4: columnOffset / 4,
      HAS_BIAS: shape.bias ? 1 : 0,
      HAS_RESIDUAL: shape.residual ? 1 : 0,
      ACTIVATION: activationCode(shape.activation ?? "none"),
    },
    params: [tokens],
    workgroups: [Math.ceil(vec4s(columns) / tile.vectors), Math.ceil(tokens / tile.rows), 1],
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
 * Rounding of K float32 additions: for terms of random sign partial sums grow as a random walk, so
 * the error of the sum is about u * K * rms(x) * rms(w); 8 of those are more than the largest of a
 * million outputs (Higham and Mary, 2019, argue the same growth). Errors of x come through as sqrt(K).
 */
function errorBound(
  shape: MatmulShape,
  inputs: Readonly<Record<string, Magnitude>>,
): number {
  const { k, activation = "none", dtype } = shape;
  const x = inputs["x"]!;
  const w = inputs["weight"]!.rms * (dtype === "int8" ? inputs["scale"]!.max : 1);
  const terms = Math.sqrt(k) * x.rms * w;
  const sum = 8 * UNIT_ROUNDOFF * (k * x.rms * w + terms + (inputs["bias"]?.max ?? 0)) +
    6 * Math.sqrt(k) * w * x.error;
  const max = 6 * terms + (inputs["bias"]?.max ?? 0);
  const residual = shape.residual ? inputs["residual"]! : { max: 0, error: 0 };
  return activationError(activation, { max, error: sum }) + residual.error +
    2 * UNIT_ROUNDOFF * (max + residual.max);
}
