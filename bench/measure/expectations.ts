import type { HostArray, HostTensors, Magnitude } from "../../kernels/kernel.ts";
import type { Operation } from "../../kernels/operation.ts";
import { type Expected, expectedOf, magnitude } from "../../kernels/reference_run.ts";

/** What an operation must give: NaN where it writes nothing. */
export type OwnExpected = ReadonlyMap<string, Expected>;

interface Known {
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly expected: OwnExpected;
}

/** So many results of an operation are kept: as many as variants of a module take turns, and one. */
const MOST_KNOWN = 3;

/** Computes what operations must give of inputs from the device, once for inputs that are the same bits. */
export class Expectations {
  readonly #host: ReadonlyMap<string, HostArray>;
  readonly #known = new Map<Operation, readonly Known[]>();
  readonly #magnitudes = new WeakMap<HostArray, Magnitude>();

  /** Inputs that no operation writes are taken from the host, by joint name. */
  constructor(host: ReadonlyMap<string, HostArray>) {
    this.#host = host;
  }

  /** What an operation must give, by own name; `seen` holds, by joint name, what was read back. */
  of(operation: Operation, seen: ReadonlyMap<string, HostArray>): OwnExpected {
    const inputs = new Map<string, HostArray>();
    for (const [name, joint] of Object.entries(operation.names)) {
      if (operation.outputs.includes(name)) continue;
      inputs.set(name, seen.get(joint) ?? this.#host.get(joint)!);
    }
    const known = this.#known.get(operation) ?? [];
    const same = known.find((one) => [...inputs].every(([n, a]) => isSame(a, one.inputs.get(n)!)));
    if (same) return same.expected;
    const expected = this.#compute(operation, inputs);
    this.#known.set(operation, [{ inputs, expected }, ...known].slice(0, MOST_KNOWN));
    return expected;
  }

  #compute(operation: Operation, inputs: ReadonlyMap<string, HostArray>): OwnExpected {
    const outputs = operation.outputs.map((name) => {
      const { rows, columns, dtype } = operation.tensors[name]!;
      const length = rows * columns;
      const array = dtype === "uint32"
        ? new Uint32Array(length)
        : new Float64Array(length).fill(NaN);
      return [name, array] as const;
    });
    const own: HostTensors = Object.fromEntries([
      ...Object.entries(operation.names).map(([name, joint]) => [name, this.#host.get(joint)!]),
      ...inputs,
      ...outputs,
    ]);
    return expectedOf(operation, own, (name) => {
      const array = own[name]!;
      const known = this.#magnitudes.get(array);
      if (known) return known;
      const found = magnitude(array, operation.tensors[name]!.columns);
      this.#magnitudes.set(array, found);
      return found;
    });
  }
}

/** Whether two arrays hold the same bits; those of the host are the same array. */
function isSame(a: HostArray, b: HostArray): boolean {
  if (a === b) return true;
  const [x, y] = [a, b].map((array) => new Uint32Array(array.buffer, array.byteOffset));
  return x!.length === y!.length && x!.every((word, i) => word === y![i]);
}
