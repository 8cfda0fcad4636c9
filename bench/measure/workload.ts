import type { DeviceBuffer } from "../../device/buffer.ts";
import type { Device } from "../../device/device.ts";
import type { Dispatch } from "../../device/dispatch.ts";
import { shaderText } from "../../device/program.ts";
import { type HostArray, NONE, type Tensor, tensorBytes } from "../../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../../kernels/operation.ts";
import { packTensor, unpackTensor } from "../../kernels/pack.ts";
import { fillTensor } from "./fill.ts";
import {
  type Difference,
  difference,
  type Expected,
  referenceRun,
} from "../../kernels/reference_run.ts";

/** Bits of a quiet NaN that no kernel writes: what outputs hold before a checked run. */
export const POISON = 0x7fc0dead;

/** The declaration of a binding that a shader may write. */
const WRITABLE = /@binding\(\s*(\d+)[iu]?\s*\)[^;]*?var\s*<\s*storage\s*,\s*read_write\s*>/g;

/** Operations with tensors on a device and on the host, filled by name and seed, to be run and checked. */
export class Workload implements Disposable {
  /** What is run, in order. */
  readonly operations: readonly Operation[];
  readonly #device: Device;
  readonly #tensors = new Map<string, Tensor>();
  readonly #host = new Map<string, HostArray>();
  readonly #buffers = new Map<string, DeviceBuffer>();
  #expected: Map<string, Expected> | undefined;
  readonly #dispatches: Dispatch[] = [];

  /** Allocates and fills the tensors of operations; shared joint names share memory. */
  constructor(device: Device, operations: readonly Operation[], options: { seed: number }) {
    this.#device = device;
    this.operations = operations;
    for (const operation of operations) {
      for (const [name, joint] of Object.entries(operation.names)) {
        if (!this.#tensors.has(joint)) this.#tensors.set(joint, operation.tensors[name]!);
      }
    }
    for (const [name, tensor] of this.#tensors) {
      const array = fillTensor(tensor, name, options.seed);
      const buffer = device.allocate({ label: name, bytes: tensorBytes(tensor) });
      device.upload(buffer, packTensor(tensor, array));
      this.#host.set(name, array);
      this.#buffers.set(name, buffer);
    }
  }

  /** Joint names of what the operations write. */
  get outputs(): readonly string[] {
    return [...new Set(this.operations.flatMap((o) => o.outputs.map((name) => o.names[name]!)))];
  }

  /** Joint names of outputs that start as poison: all but those with contents to keep, such as a KV cache. */
  get poisoned(): readonly string[] {
    return this.outputs.filter((name) => this.#tensors.get(name)!.fill.kind === "zero");
  }

  /** The buffer of a joint name. */
  buffer(name: string): DeviceBuffer {
    return this.#buffers.get(name)!;
  }

  /** The tensor of a joint name. */
  tensor(name: string): Tensor {
    return this.#tensors.get(name)!;
  }

  /** Binds every operation with a variant, in order. */
  bind(choose: (operation: Operation) => OperationVariant): readonly Dispatch[] {
    const bound: Dispatch[] = [];
    for (const operation of this.operations) {
      const program = choose(operation).program();
      const buffers = Object.fromEntries(
        Object.entries(operation.names).map(([name, joint]) => [name, this.buffer(joint)]),
      );
      bound.push(this.#device.bind(program, buffers));
    }
    this.#dispatches.push(...bound);
    return bound;
  }

  /** Fills the poisoned outputs from the host. */
  poison(): void {
    for (const name of this.poisoned) {
      const buffer = this.buffer(name);
      this.#device.upload(buffer, new Uint32Array(buffer.bytes / 4).fill(POISON));
    }
  }

  /** The float64 results, computed once. */
  expected(): ReadonlyMap<string, Expected> {
    this.#expected ??= referenceRun(this.operations, new Map(this.#host));
    return this.#expected;
  }

  /**
   * Downloads every output and compares it with its float64 result: the wrong elements of all of them,
   * and the rest of the first wrong one, or of the last.
   */
  async check(): Promise<Difference & { readonly tolerance: number; readonly output: string }> {
    let worst = { wrongElements: 0, maxAbsError: 0, firstWrong: -1, tolerance: 0, output: "" };
    for (const [name, expected] of this.expected()) {
      const bytes = await this.#device.download(this.buffer(name), tensorBytes(expected.tensor));
      const found = difference(unpackTensor(expected.tensor, bytes), expected);
      const wrongElements = worst.wrongElements + found.wrongElements;
      const isWorse = found.wrongElements > 0
        ? worst.wrongElements === 0
        : worst.wrongElements === 0 && (worst.output === "" || name === this.outputs.at(-1));
      worst = isWorse
        ? { ...found, tolerance: expected.tolerance, output: name, wrongElements }
        : { ...worst, wrongElements };
    }
    return worst;
  }

  /** Uploads tensors again, all of them or those of these joint names. */
  restoreInputs(names: Iterable<string> = this.#host.keys()): void {
    for (const name of names) {
      this.#device.upload(this.buffer(name), packTensor(this.tensor(name), this.#host.get(name)!));
    }
  }

  /** Joint names of the inputs that a choice of variants may write: their shaders bind them for it. */
  writableInputs(choose: (operation: Operation) => OperationVariant): readonly string[] {
    const outputs = this.outputs;
    const names = this.operations.flatMap((operation) => {
      const { bindings, ...program } = choose(operation).program();
      return [...shaderText(program).matchAll(WRITABLE)].map(([, place]) =>
        bindings[Number(place)]?.name ?? ""
      ).filter((name) => operation.tensors[name] !== NONE).map((name) => operation.names[name]!);
    });
    return [...new Set(names)].filter((name) => !outputs.includes(name));
  }

  /** Which inputs' bytes on the device are no longer what was uploaded, of all or of these joint names. */
  async mutatedInputs(names: Iterable<string> = this.#host.keys()): Promise<readonly string[]> {
    const outputs = this.outputs;
    const mutated: string[] = [];
    for (const name of names) {
      if (outputs.includes(name)) continue;
      const sent = packTensor(this.tensor(name), this.#host.get(name)!);
      const found = new Uint8Array(await this.#device.download(this.buffer(name), sent.length));
      if (sent.some((byte, i) => byte !== found[i])) mutated.push(name);
    }
    return mutated;
  }

  /** Frees all memory. */
  [Symbol.dispose](): void {
    for (const { params } of this.#dispatches) params?.destroy();
    for (const buffer of this.#buffers.values()) buffer.destroy();
  }
}
