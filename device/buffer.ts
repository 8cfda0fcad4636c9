import { DeviceError } from "./device_error.ts";
import type { Ledger } from "./ledger.ts";

/** Device memory with a label that the ledger counts; freed by `using` or `destroy`. */
export class DeviceBuffer implements Disposable {
  /** The WebGPU buffer. */
  readonly gpu: GPUBuffer;
  /** What the ledger calls it. */
  readonly label: string;
  /** Bytes asked for, rounded up to 16, which is what is allocated. */
  readonly bytes: number;
  readonly #ledger: Ledger;
  #live = true;

  /**
   * Allocates zeroed memory for copies and for storage or a uniform.
   * @throws {DeviceError} `OutOfMemory` where the adapter has no buffer so large.
   */
  constructor(device: GPUDevice, ledger: Ledger, options: BufferOptions) {
    const { label, bytes, uniform = false } = options;
    this.label = label;
    this.bytes = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (this.bytes > device.limits.maxBufferSize) {
      throw new DeviceError(
        "OutOfMemory",
        `Cannot allocate "${label}": ${this.bytes} bytes, the adapter's largest buffer is ` +
          `${device.limits.maxBufferSize}`,
      );
    }
    const role = uniform ? GPUBufferUsage.UNIFORM : GPUBufferUsage.STORAGE;
    const usage = role | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.gpu = device.createBuffer({ label, size: this.bytes, usage });
    this.#ledger = ledger;
    ledger.add(label, this.bytes);
  }

  /** Frees the memory at once. */
  destroy(): void {
    if (!this.#live) return;
    this.#live = false;
    this.gpu.destroy();
    this.#ledger.remove(this.label, this.bytes);
  }

  /** Frees the memory at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** What a buffer is for. */
export interface BufferOptions {
  /** What the ledger calls it. */
  readonly label: string;
  /** Bytes that are needed. */
  readonly bytes: number;
  /** Whether it holds params rather than storage. */
  readonly uniform?: boolean;
}
