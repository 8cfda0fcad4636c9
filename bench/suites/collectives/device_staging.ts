import type { DeviceBuffer } from "../../../device/buffer.ts";
import type { Device } from "../../../device/device.ts";

/** So much of a result is read to wait for it; buffers are whole multiples of it. */
const FENCE_BYTES = 16;

/** The adapter's side of a rank: buffers of operand and result, and the ways to and from shared memory. */
export class DeviceStaging implements Disposable {
  readonly device: Device;
  readonly #operand: DeviceBuffer;
  readonly #result: DeviceBuffer;

  private constructor(device: Device, size: { readonly operand: number; readonly result: number }) {
    this.device = device;
    this.#operand = device.allocate({ label: "collective.operand", bytes: 4 * size.operand });
    this.#result = device.allocate({ label: "collective.result", bytes: 4 * size.result });
  }

  /** Allocates buffers of so many elements, ready to be read. */
  static async open(
    device: Device,
    size: { readonly operand: number; readonly result: number },
  ): Promise<DeviceStaging> {
    const staging = new DeviceStaging(device, size);
    await device.readBack.prime(Math.max(4, 4 * size.operand));
    await device.readBack.prime(FENCE_BYTES);
    return staging;
  }

  /** Puts an operand on the adapter, and waits until it is there. */
  async fill(operand: Float32Array): Promise<void> {
    this.device.upload(this.#operand, operand);
    await this.device.finish();
  }

  /** The operand from the adapter to shared memory: the wait for the adapter included. */
  read(into: Float32Array): void {
    if (into.length === 0) return;
    this.device.readBack.start(this.#operand.gpu, { bytes: into.byteLength }).finishInto(into);
  }

  /** The result from shared memory to the adapter, where it lies when this returns. */
  write(from_: Float32Array): void {
    if (from_.length === 0) return;
    this.device.upload(this.#result, from_);
    // An upload is only queued; what is read behind it has waited for it.
    this.device.readBack.readNow(this.#result.gpu, { bytes: FENCE_BYTES });
  }

  /** The first elements of the result, as the adapter has it. */
  async result(elements: number): Promise<Float32Array> {
    const found = new Float32Array(await this.device.download(this.#result, 4 * elements));
    await this.device.readBack.yield();
    return found;
  }

  /** Frees the buffers. */
  [Symbol.dispose](): void {
    this.#operand.destroy();
    this.#result.destroy();
  }
}
