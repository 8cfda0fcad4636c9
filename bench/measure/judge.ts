import type { HostArray, Tensor } from "../../kernels/kernel.ts";
import type { Operation } from "../../kernels/operation.ts";
import { unpackTensor } from "../../kernels/pack.ts";
import { type Difference, difference } from "../../kernels/reference_run.ts";
import type { OwnExpected } from "./expectations.ts";

/** The worst operation of a checked run, and the wrong elements of all of them. */
export interface Checked extends Difference {
  /** Of the operation whose error is the largest share of its tolerance, as are `maxAbsError` and `firstWrong`. */
  readonly tolerance: number;
  /** The joint name of its output. */
  readonly output: string;
}

/** What a run left, and what it had to. */
export interface Judged {
  /** Bytes of all outputs, by joint name. */
  readonly seen: ReadonlyMap<string, ArrayBuffer>;
  /** Words that an output held before the run. */
  readonly blank: (name: string) => ArrayBuffer;
  /** What an operation must give of inputs, by joint name, that were read back. */
  readonly expected: (
    operation: Operation,
    seen: ReadonlyMap<string, HostArray>,
  ) => OwnExpected;
}

/** Judges each operation of a run by itself, and the elements that none had to write. */
export function judge(operations: readonly Operation[], run: Judged): Checked {
  const seen = new Map<string, Float32Array | Uint32Array>();
  const isWritten = new Map<string, Uint8Array>();
  const tensorOf = new Map<string, Tensor>();
  for (const { outputs, names, tensors } of operations) {
    for (const name of outputs) {
      const [joint, tensor] = [names[name]!, tensors[name]!];
      tensorOf.set(joint, tensor);
      seen.set(joint, unpackTensor(tensor, run.seen.get(joint)!));
      isWritten.set(joint, new Uint8Array(tensor.rows * tensor.columns));
    }
  }
  const all: Checked[] = [];
  for (const operation of operations) {
    for (const [name, expected] of run.expected(operation, seen)) {
      const output = operation.names[name]!;
      const { values, tolerance } = expected;
      const written = isWritten.get(output)!;
      for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) written[i] = 1;
      all.push({ ...difference(seen.get(output)!, expected), tolerance, output });
    }
  }
  for (const [output, written] of isWritten) {
    if (written.every((one) => one === 1)) continue;
    const blank = unpackTensor({ ...tensorOf.get(output)!, dtype: "uint32" }, run.blank(output));
    all.push({ ...untouched(seen.get(output)!, blank, written), tolerance: 0, output });
  }
  const worst = all.reduce((most, one) => errorShare(one) > errorShare(most) ? one : most);
  return { ...worst, wrongElements: all.reduce((sum, one) => sum + one.wrongElements, 0) };
}

/** How large an operation's error is beside its tolerance; exact results have none of either. */
export function errorShare(
  { maxAbsError, tolerance }: Pick<Checked, "maxAbsError" | "tolerance">,
): number {
  return maxAbsError === 0 ? 0 : maxAbsError / tolerance;
}

/** Compares the bits of what no operation writes with those before the run. */
function untouched(
  seen: Float32Array | Uint32Array,
  blank: Float32Array | Uint32Array,
  written: Uint8Array,
): Difference {
  const words = new Uint32Array(seen.buffer, seen.byteOffset, seen.length);
  let wrongElements = 0;
  let firstWrong = -1;
  for (let i = 0; i < words.length; i++) {
    if (written[i] === 1 || words[i] === blank[i]) continue;
    if (wrongElements++ === 0) firstWrong = i;
  }
  return { wrongElements, firstWrong, maxAbsError: wrongElements > 0 ? Infinity : 0 };
}
