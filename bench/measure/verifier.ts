import type { DeviceBuffer } from "../../device/buffer.ts";
import type { Device } from "../../device/device.ts";
import type { Dispatch } from "../../device/dispatch.ts";
import { tensorBytes } from "../../kernels/kernel.ts";
import verifyWgsl from "./verify.wgsl" with { type: "text" };
import { POISON, type Workload } from "./workload.ts";

const WORDS_PER_INVOCATION = 64;

/**
 * Verifies every timed iteration on the device: outputs, caches among them, are compared word by word
 * with those of a run that was checked against float64, then poisoned for the next iteration.
 */
export class Verifier implements Disposable {
  readonly #device: Device;
  readonly #buffers: DeviceBuffer[] = [];
  readonly #counts: DeviceBuffer;
  readonly #command: Dispatch[] = [];

  /** Keeps the current outputs of a workload as the golden ones. */
  constructor(device: Device, workload: Workload) {
    this.#device = device;
    this.#counts = device.allocate({ label: "verify.counts", bytes: 16 });
    for (const name of workload.outputs) {
      const seen = workload.buffer(name);
      const golden = device.allocate({ label: `verify.${name}`, bytes: seen.bytes });
      this.#buffers.push(golden);
      device.copy(seen, golden);
      let blank = golden;
      if (workload.keeps(name)) {
        blank = device.allocate({ label: `verify.blank.${name}`, bytes: seen.bytes });
        this.#buffers.push(blank);
        device.upload(blank, workload.blank(name));
      }
      const words = tensorBytes(workload.tensor(name)) / 4;
      this.#command.push(device.bind({
        name: "bench/verify",
        wgsl: [{ file: "bench/measure/verify.wgsl", text: verifyWgsl }],
        bindings: [
          { name: "seen", access: "read_write" },
          { name: "golden", access: "read" },
          { name: "blank", access: "read" },
          { name: "counts", access: "read_write" },
          { name: "params", access: "uniform" },
        ],
        constants: { KEEPS: workload.keeps(name) ? 1 : 0 },
        params: [words, POISON, WORDS_PER_INVOCATION],
        workgroups: [Math.ceil(words / WORDS_PER_INVOCATION / 64), 1, 1],
      }, { seen, golden, blank, counts: this.#counts }));
    }
    device.run(this.#command); // poisons what the golden run left
    device.upload(this.#counts, new Uint32Array(4));
  }

  /** Queues the comparison of what the last iteration wrote. */
  queue(): void {
    this.#device.run(this.#command);
  }

  /** Words that differed since the last call. */
  async mismatchedWords(): Promise<number> {
    const counts = new Uint32Array(await this.#device.download(this.#counts, 16));
    this.#device.upload(this.#counts, new Uint32Array(4));
    return counts[0]!;
  }

  /** Frees the golden copies. */
  [Symbol.dispose](): void {
    for (const { params } of this.#command) params?.destroy();
    for (const buffer of [...this.#buffers, this.#counts]) buffer.destroy();
  }
}
