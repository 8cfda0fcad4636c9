import type { HostArray, HostTensors, Magnitude, Tensor } from "./kernel.ts";
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

/** The magnitude of all elements that are numbers. */
export function magnitude(array: HostArray, columns: number): Magnitude {
  let max = 0;
  let rms = 0;
  for (let first = 0; first < array.length; first += columns) {
    let squares = 0;
    for (let i = first; i < first + columns; i++) {
      const value = Math.abs(array[i]!);
      if (!(value >= 0)) continue;
      squares += value * value;
      if (value > max) max = value;
    }
    rms = Math.max(rms, Math.sqrt(squares / columns));
  }
  return { rms, max };
}

/** Changes an operation's float64 result by up to its own rounding, as a device might. */
export type Round = (values: HostArray, bound: number) => void;

/** What an operation's outputs must be, by own name; of host tensors that hold its inputs and outputs. */
export function expectedOf(
  operation: Operation,
  own: HostTensors,
  magnitudeOf: (name: string) => Magnitude = (name) =>
    magnitude(own[name]!, operation.tensors[name]!.columns),
): ReadonlyMap<string, Expected> {
  operation.reference(own);
  const names = Object.keys(operation.tensors);
  const bound = operation.errorBound(
    Object.fromEntries(names.map((name) => [name, magnitudeOf(name)])),
  );
  return new Map(operation.outputs.map((name) => {
    const tolerance = typeof bound === "number" ? bound : bound[name]!;
    return [name, { tensor: operation.tensors[name]!, values: own[name]!, tolerance }];
  }));
}

/**
 * Runs operations in float64, in order, over host tensors by joint name, which they change; returns what
 * each output must be, the tolerance being that of one operation on exact inputs. `round` is called
 * with each result that is no id before others read it.
 */
export function referenceRun(
  operations: readonly Operation[],
  tensors: Map<string, HostArray>,
  round?: Round,
): Map<string, Expected> {
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
    for (const [name, one] of expectedOf(operation, own)) {
      if (one.values instanceof Float64Array) round?.(one.values, one.tolerance);
      expected.set(operation.names[name]!, one);
    }
  }
  return expected;
}

/** How a result differs from what was expected. */
export interface Difference {
  /** Elements off by more than the tolerance, or no finite numbers. */
  readonly wrongElements: number;
  /** Largest absolute difference; infinite where one is no number. */
  readonly maxAbsError: number;
  /** Index of the first wrong element, or -1. */
  readonly firstWrong: number;
}

/**
 * Compares a device result with the float64 one; what is not finite is always wrong. Elements that are
 * expected to be NaN are written by nobody and left out.
 */
export function difference(seen: Float32Array | Uint32Array, expected: Expected): Difference {
  const { values, tolerance } = expected;
  let wrongElements = 0;
  let maxAbsError = 0;
  let firstWrong = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    const off = Math.abs(seen[i]! - values[i]!);
    const error = off < Infinity ? off : Infinity;
    if (error > maxAbsError) maxAbsError = error;
    if (error <= tolerance && error < Infinity) continue;
    if (wrongElements === 0) firstWrong = i;
    wrongElements++;
  }
  return { wrongElements, maxAbsError, firstWrong };
}
