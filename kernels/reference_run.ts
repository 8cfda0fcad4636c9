import type { HostArray, Magnitude, Tensor } from "./kernel.ts";
import type { Operation } from "./operation.ts";

/** A float64 result and the largest difference from it that rounding explains. */
export interface Expected {
  /** What the values are the contents of. */
  readonly tensor: Tensor;
  /** Unpadded, in float64 unless they are ids. */
  readonly values: HostArray;
  /** Largest absolute difference that rounding explains. */
  readonly tolerance: number;
}

function magnitude(array: HostArray, error: number): Magnitude {
  let squares = 0;
  let max = 0;
  const step = Math.max(1, Math.floor(array.length / 65536));
  let count = 0;
  for (let i = 0; i < array.length; i += step) {
    const value = Math.abs(array[i]!);
    squares += value * value;
    if (value > max) max = value;
    count++;
  }
  return { rms: Math.sqrt(squares / Math.max(1, count)), max, error };
}

/** Changes an operation's float64 result by up to its own rounding, as a device might. */
export type Round = (values: HostArray, bound: number) => void;

/**
 * Runs operations in float64, in order, over host tensors by joint name; returns what each output
 * must be. Bounds pass from one operation to the next, so a chain's tolerance is derived as well;
 * with `round` each operation's own rounding is played instead, and nothing is passed on.
 */
export function referenceRun(
  operations: readonly Operation[],
  tensors: Map<string, HostArray>,
  round?: Round,
): Map<string, Expected> {
  const magnitudes = new Map<string, Magnitude>();
  const expected = new Map<string, Expected>();
  for (const operation of operations) {
    const own: Record<string, HostArray> = {};
    for (const [name, joint] of Object.entries(operation.names)) {
      const tensor = operation.tensors[name]!;
      if (operation.outputs.includes(name) && tensor.dtype !== "uint32") {
        const old = tensors.get(joint);
        if (!(old instanceof Float64Array)) {
          tensors.set(
            joint,
            old ? Float64Array.from(old) : new Float64Array(tensor.rows * tensor.columns),
          );
        }
      }
      own[name] = tensors.get(joint)!;
    }
    const inputs: Record<string, Magnitude> = {};
    for (const [name, joint] of Object.entries(operation.names)) {
      if (!magnitudes.has(joint)) magnitudes.set(joint, magnitude(own[name]!, 0));
      inputs[name] = magnitudes.get(joint)!;
    }
    operation.reference(own);
    const bound = operation.errorBound(inputs);
    for (const name of operation.outputs) {
      const joint = operation.names[name]!;
      const tolerance = Math.max(bound, expected.get(joint)?.tolerance ?? 0);
      if (round && tensors.get(joint) instanceof Float64Array) round(own[name]!, bound);
      magnitudes.set(joint, magnitude(own[name]!, round ? 0 : tolerance));
      expected.set(joint, { tensor: operation.tensors[name]!, values: own[name]!, tolerance });
    }
  }
  return expected;
}

/** How a result differs from what was expected. */
export interface Difference {
  /** Elements off by more than the tolerance. */
  readonly wrongElements: number;
  /** Largest absolute difference; infinite where one is no number. */
  readonly maxAbsError: number;
  /** Index of the first wrong element, or -1. */
  readonly firstWrong: number;
}

/** Compares a device result with the float64 one; NaN is always wrong. */
export function difference(seen: Float32Array | Uint32Array, expected: Expected): Difference {
  const { values, tolerance } = expected;
  let wrongElements = 0;
  let maxAbsError = 0;
  let firstWrong = -1;
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(seen[i]! - values[i]!);
    if (error > maxAbsError) maxAbsError = error;
    if (!(error <= tolerance)) {
      if (wrongElements === 0) firstWrong = i;
      wrongElements++;
      if (Number.isNaN(error)) maxAbsError = Infinity;
    }
  }
  return { wrongElements, maxAbsError, firstWrong };
}
