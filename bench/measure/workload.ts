import type { DeviceBuffer } from "../../device/buffer.ts";
import type { Device } from "../../device/device.ts";
import type { Dispatch } from "../../device/dispatch.ts";
import { shaderText } from "../../device/program.ts";
import { type HostArray, NONE, type Tensor, tensorBytes } from "../../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../../kernels/operation.ts";
import { packTensor } from "../../kernels/pack.ts";
import { fillTensor } from "./fill.ts";
import { type Checked, judge } from "./judge.ts";
import { Expectations } from "./expectations.ts";
import { writtenElements } from "./written_elements.ts";

/** Bits of a quiet NaN that no kernel writes: what outputs hold before a checked run. */
export const POISON = 0x7fc0dead;

/** The declaration of a binding that a shader may write. */
const WRITABLE = /@binding\(\s*(\d+)[iu]?\s*\)[^;]*?var\s*<\s*storage\s*,\s*read_write\s*>/g;

/**
 * Operations with tensors on a device and on the host, filled by name and seed, to be run and checked.
 * An operation's inputs must be those of the device, or written by an operation before it and by none
 * behind it.
 */
export class Workload implements Disposable {
  /** What is run, in order. */
  readonly operations: readonly Operation[];
  readonly #device: Device;
  readonly #tensors = new Map<string, Tensor>();
  readonly #host = new Map<string, HostArray>();
  readonly #buffers = new Map<string, DeviceBuffer>();
  readonly #blanks = new Map<string, Uint32Array>();
  readonly #expectations: Expectations;
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
    this.#expectations = new Expectations(this.#host);
  }

  /** Joint names of what the operations write. */
  get outputs(): readonly string[] {
    return [...new Set(this.operations.flatMap((o) => o.outputs.map((name) => o.names[name]!)))];
  }

  /** The buffer of a joint name. */
  buffer(name: string): DeviceBuffer {
    return this.#buffers.get(name)!;
  }

  /** The tensor of a joint name. */
  tensor(name: string): Tensor {
    return this.#tensors.get(name)!;
  }

  /** Whether an output has contents of its own, of which operations write a part, such as a KV cache. */
  keeps(name: string): boolean {
    return this.tensor(name).fill.kind !== "zero";
  }

  /** The words that an output holds before a checked run: poison, or its contents where none is written. */
  blank(name: string): Uint32Array {
    const known = this.#blanks.get(name);
    if (known) return known;
    const { bytes } = this.buffer(name);
    const blank = new Uint32Array(bytes / 4).fill(POISON);
    if (this.keeps(name)) {
      const tensor = this.tensor(name);
      const contents = this.#host.get(name)!.slice();
      const words = new Uint32Array(contents.buffer);
      for (const i of writtenElements(this.operations, this.#host, name)) words[i] = POISON;
      new Uint8Array(blank.buffer).set(packTensor(tensor, contents));
    }
    this.#blanks.set(name, blank);
    return blank;
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

  /** Uploads what outputs hold before a checked run. */
  poison(): void {
    for (const name of this.outputs) this.#device.upload(this.buffer(name), this.blank(name));
  }

  /**
   * Downloads every output and judges each operation by itself: against float64 of what the device
   * gave as its inputs. Elements that no operation writes must be what they were.
   */
  async check(): Promise<Checked> {
    const seen = new Map<string, ArrayBuffer>();
    for (const name of this.outputs) {
      seen.set(
        name,
        await this.#device.download(this.buffer(name), tensorBytes(this.tensor(name))),
      );
    }
    return judge(this.operations, {
      seen,
      blank: (name) => this.blank(name).slice().buffer,
      expected: (operation, inputs) => this.#expectations.of(operation, inputs),
    });
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
