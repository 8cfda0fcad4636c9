import type { Program } from "../device/program.ts";
import type { Fields } from "./check_shape.ts";

/** Storage types of weights, the widest first. */
export const DTYPES = ["float32", "float16", "int8"] as const;

/** One of {@linkcode DTYPES}. */
export type WeightDType = typeof DTYPES[number];

/** How numbers are stored on the device; sums are float32 whatever the storage. */
export type DType = WeightDType | "uint32";

/** What a tensor is filled with before a measurement; random numbers are seeded by the tensor's name. */
export type Fill =
  | { readonly kind: "uniform"; readonly scale: number }
  | { readonly kind: "quantised" }
  | { readonly kind: "scales"; readonly scale: number }
  | { readonly kind: "integers"; readonly from?: number; readonly below: number }
  | { readonly kind: "words"; readonly words: readonly number[] }
  | { readonly kind: "floats"; readonly floats: () => Float32Array }
  | { readonly kind: "zero" };

/** A matrix on the device: row-major, rows padded with zeros to a whole vec4. */
export interface Tensor {
  /** Rows. */
  readonly rows: number;
  /** Columns, without the padding. */
  readonly columns: number;
  /** Storage of an element. */
  readonly dtype: DType;
  /** What a measurement fills it with. */
  readonly fill: Fill;
}

/** The same matrix on the host: row-major, unpadded, `rows * columns` long. */
export type HostArray = Float64Array | Float32Array | Float16Array | Int8Array | Uint32Array;

/** Host matrices by binding name, each as long as the `rows * columns` of its {@linkcode Tensor}. */
export type HostTensors = Readonly<Record<string, HostArray>>;

/** Work of one run: floating-point operations and the least bytes that must move. */
export interface Cost {
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes that must be read at least. */
  readonly bytesRead: number;
  /** Bytes that must be written at least. */
  readonly bytesWritten: number;
}

/** How large the elements of a tensor are, for error bounds. */
export interface Magnitude {
  /** Root mean square of a row, the largest of all rows. */
  readonly rms: number;
  /** Largest magnitude. */
  readonly max: number;
}

/** Operands that a measured run does not have: a shape, small, and what some tensors are filled with. */
export interface EdgeCase<Shape> {
  /** What is special about them, for example `ties`. */
  readonly name: string;
  /** A shape that a variant's shader, with constants of its own, can run where it runs the measured one. */
  readonly shape: Shape;
  /** By tensor; others are filled as always. */
  readonly fills?: Readonly<Record<string, Fill>>;
}

/** One way to compute a kernel. */
export interface Variant<Shape> {
  /** The idea behind it, in a word or two. */
  readonly name: string;
  /** Why this variant cannot run a shape; absent or undefined where it can. */
  readonly unsupported?: (shape: Shape) => string | undefined;
  /** The program that runs a shape. */
  readonly program: (shape: Shape) => Program;
}

/** An operator: its tensors, cost, float64 reference, error bound, and the ways to compute it. */
export interface Kernel<Shape> {
  /** The key in the registry. */
  readonly name: string;
  /** What the fields of a shape may be. */
  readonly fields: Fields<Shape>;
  /** `naive` first. */
  readonly variants: readonly Variant<Shape>[];
  /** Tensors by binding name, but for the uniform; {@linkcode NONE} where the shape does not use one. */
  readonly tensors: (shape: Shape) => Readonly<Record<string, Tensor>>;
  /** Fields of a shape that do not decide how fast a variant is: shapes that differ in them share tuning. */
  readonly untuned?: readonly (keyof Shape)[];
  /** Names of the tensors that a run writes. */
  readonly outputs: readonly string[];
  /** Work of a run. */
  readonly cost: (shape: Shape) => Cost;
  /** Computes the outputs in float64 into `tensors`: inputs and outputs of the sizes of `tensors(shape)`. */
  readonly reference: (shape: Shape, tensors: HostTensors) => void;
  /**
   * Largest absolute error that rounding explains, of all outputs or of each, from the magnitudes of all
   * tensors, the float64 outputs among them; 0 where results are exact.
   */
  readonly errorBound: (shape: Shape, tensors: Readonly<Record<string, Magnitude>>) => ErrorBound;
  /** Operands on which faulty variants differ that agree on random ones: each variant is checked on them. */
  readonly edgeCases?: (shape: Shape) => readonly EdgeCase<Shape>[];
}

/** One bound for all outputs, or one for each by name. */
export type ErrorBound = number | Readonly<Record<string, number>>;

export { UNIT_ROUNDOFF } from "./rounding.ts";

/** vec4 columns of a row. */
export function vec4s(columns: number): number {
  return Math.ceil(columns / 4);
}

/** Bytes of one element. */
export function elementBytes(dtype: DType): number {
  return dtype === "int8" ? 1 : dtype === "float16" ? 2 : 4;
}

/** Bytes of a tensor on the device, rows padded to whole vec4s. */
export function tensorBytes({ rows, columns, dtype }: Tensor): number {
  return rows * vec4s(columns) * 4 * elementBytes(dtype);
}

/** Bytes of the buffer that holds a tensor: device memory comes in whole vec4s of float32. */
export function bufferBytes(tensor: Tensor): number {
  return Math.max(16, Math.ceil(tensorBytes(tensor) / 16) * 16);
}

/** A float32 tensor of numbers between -scale and scale, or of zeros. */
export function float32(rows: number, columns: number, scale = 0): Tensor {
  const fill: Fill = scale > 0 ? { kind: "uniform", scale } : { kind: "zero" };
  return { rows, columns, dtype: "float32", fill };
}

/** A word for each token: [1, T]. */
export function tokenWords(tokens: number, words: readonly number[]): Tensor {
  return { rows: 1, columns: tokens, dtype: "uint32", fill: { kind: "words", words } };
}

/** A tensor that a binding needs but this shape does not use. */
export const NONE: Tensor = float32(1, 4);

/**
 * The array of a tensor.
 * @throws {TypeError} that names the tensor, where there is none.
 */
export function host(tensors: HostTensors, name: string): HostArray {
  const array = tensors[name];
  if (!array) throw new TypeError(`Cannot find the tensor "${name}": have ${Object.keys(tensors)}`);
  return array;
}
