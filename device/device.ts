import {
  type AdapterIdentity,
  adapterIdentity,
  type AdapterOptions,
  requestAdapter,
} from "./adapter.ts";
import { type BufferOptions, DeviceBuffer } from "./buffer.ts";
import { DeviceError } from "./device_error.ts";
import { type Dispatch, type Pass, recordPass } from "./dispatch.ts";
import { ErrorWatch } from "./error_watch.ts";
import { Ledger } from "./ledger.ts";
import { PipelineCache } from "./pipeline_cache.ts";
import type { Program } from "./program.ts";
import { nextTurn, type PendingRead, ReadBack } from "./read_back.ts";
import { type Clock, TimestampBatch } from "./timestamps.ts";

const WANTED_FEATURES: readonly GPUFeatureName[] = ["timestamp-query", "shader-f16", "subgroups"];
const PARAM_BYTES = 32;

/**
 * A Worker that ends with its device waits so long before: a device may not be destroyed whose last
 * maps are younger, in ms.
 * @internal
 */
export const SETTLE_MS = 40;

/** Bytes that a caller may upload. */
export type Uploadable =
  | Float32Array
  | Uint32Array
  | Int32Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/**
 * An open adapter: memory with a ledger, cached pipelines, submissions, read-back.
 *
 * Drivers report late: a method also throws the first {@linkcode DeviceError} of any earlier one, of
 * whatever kind, and `DeviceLost` where the device is closed.
 */
export class Device implements AsyncDisposable {
  /** What was opened. */
  readonly identity: AdapterIdentity;
  /**
   * Bytes allocated, by label.
   * @internal
   */
  readonly ledger: Ledger = new Ledger();
  /**
   * Keeps the first error until somebody asks.
   * @internal
   */
  readonly errors: ErrorWatch;
  /**
   * Compiled programs.
   * @internal
   */
  readonly pipelines: PipelineCache;
  /**
   * The way back to the host.
   * @internal
   */
  readonly readBack: ReadBack;
  readonly #gpu: GPUDevice;
  #closed = false;

  private constructor(gpu: GPUDevice, identity: AdapterIdentity) {
    this.#gpu = gpu;
    this.identity = identity;
    this.errors = new ErrorWatch(gpu);
    this.pipelines = new PipelineCache(gpu, this.errors);
    this.readBack = new ReadBack(gpu);
  }

  /**
   * Opens an adapter with its own limits and the features we use that it has, and probes how
   * bytes can be read back.
   * @throws {DeviceError} `NoAdapter` where there is none.
   */
  static async open(options: AdapterOptions = {}): Promise<Device> {
    const adapter = await requestAdapter(options);
    const identity = adapterIdentity(adapter);
    const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
    const gpu = await adapter.requestDevice({
      requiredFeatures,
      requiredLimits: { ...identity.limits },
    });
    const device = new Device(gpu, identity);
    await device.readBack.probe();
    return device;
  }

  /** The clock of timed passes: the adapter's where it has timestamps, else the host's. */
  get clock(): Clock {
    return this.#gpu.features.has("timestamp-query") ? "gpu" : "host";
  }

  /** The largest range of a buffer that a shader can see, in bytes. */
  get maxStorageBufferBindingSize(): number {
    return Math.min(this.#gpu.limits.maxStorageBufferBindingSize, this.#gpu.limits.maxBufferSize);
  }

  /**
   * Allocates zeroed memory, in whole 16 bytes.
   * @throws {DeviceError} `OutOfMemory` where the adapter has no buffer so large; where memory is short
   * the next call throws it.
   */
  allocate(options: BufferOptions): DeviceBuffer {
    this.#alive();
    return this.errors.guard(
      `allocation of "${options.label}"`,
      () => new DeviceBuffer(this.#gpu, this.ledger, options),
    );
  }

  /**
   * Writes host data at a byte offset, a multiple of 4; data is zero-padded to one.
   * @throws {RangeError} where it does not fit the buffer.
   */
  upload(buffer: DeviceBuffer, data: Uploadable, offset = 0): void {
    this.#alive();
    if (offset + data.byteLength > buffer.bytes) {
      throw new RangeError(
        `Cannot upload to "${buffer.label}": ${offset} + ${data.byteLength} bytes do not fit ${buffer.bytes}`,
      );
    }
    const rest = data.byteLength % 4;
    let bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    if (rest !== 0) {
      const padded = new Uint8Array(data.byteLength + 4 - rest);
      padded.set(bytes);
      bytes = padded;
    }
    if (bytes.byteLength > 0) this.#gpu.queue.writeBuffer(buffer.gpu, offset, bytes);
  }

  /**
   * Reads a buffer, or its first `bytes`, to the host, behind all submitted work.
   * @throws {DeviceError} the first error of that work.
   */
  async download(buffer: DeviceBuffer, bytes = buffer.bytes): Promise<ArrayBuffer> {
    this.#alive();
    this.#gpu.queue.submit([]); // what upload queued is flushed only by a submission
    const data = await this.readBack.read(buffer.gpu, { bytes });
    await this.errors.settle();
    return data;
  }

  /** Copies a buffer to another, as many bytes as the smaller one has. */
  copy(from: DeviceBuffer, to: DeviceBuffer): void {
    this.submit([this.encode([], (encoder) => {
      encoder.copyBufferToBuffer(from.gpu, 0, to.gpu, 0, Math.min(from.bytes, to.bytes));
    })]);
  }

  /**
   * Binds a program to its buffers, listed by binding name; a uniform that is not listed is made.
   * @throws {TypeError} where a binding has no buffer.
   * @throws {DeviceError} `Validation` where a shader cannot see a buffer whole; what is wrong with
   * the program itself is thrown by a later call.
   */
  bind(program: Program, buffers: Readonly<Record<string, DeviceBuffer>>): Dispatch {
    this.#alive();
    const pipeline = this.pipelines.get(program);
    const uniform = program.bindings.find((binding) => binding.access === "uniform");
    const shared = uniform ? buffers[uniform.name] : undefined;
    const params = uniform && !shared
      ? this.allocate({ label: "params", bytes: PARAM_BYTES, uniform: true })
      : undefined;
    const entries = program.bindings.map(({ name, access }, binding) => {
      const buffer = access === "uniform" ? shared ?? params : buffers[name];
      if (!buffer) throw new TypeError(`Cannot bind "${program.name}": no buffer for "${name}"`);
      if (buffer.bytes > this.maxStorageBufferBindingSize && access !== "uniform") {
        throw new DeviceError(
          "Validation",
          `Cannot bind "${buffer.label}": ${buffer.bytes} bytes, the adapter binds ${this.maxStorageBufferBindingSize}`,
        );
      }
      return { binding, resource: { buffer: buffer.gpu } };
    });
    const bindGroup = this.errors.guard(
      `binding of "${program.name}"`,
      () => this.#gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
    );
    const dispatch = { program, pipeline, bindGroup, params };
    this.setParams(dispatch, program.params);
    return dispatch;
  }

  /**
   * Writes the 32-bit unsigned words of a bound program's params; those of a shared uniform are left alone.
   * @throws {RangeError} where they are more than 8.
   */
  setParams(dispatch: Dispatch, params: readonly number[]): void {
    if (!dispatch.params) return;
    const words = new Uint32Array(PARAM_BYTES / 4);
    words.set(params);
    this.upload(dispatch.params, words);
  }

  /** Records passes, in order, into one command buffer; `last` may add copies or a query resolve. */
  encode(passes: readonly Pass[], last?: (encoder: GPUCommandEncoder) => void): GPUCommandBuffer {
    this.#alive();
    return this.errors.guard("recording", () => {
      const encoder = this.#gpu.createCommandEncoder();
      for (const pass of passes) recordPass(encoder, pass);
      last?.(encoder);
      return encoder.finish();
    });
  }

  /** Submits recorded work and returns at once; an error of it is thrown by a later call. */
  submit(commands: readonly GPUCommandBuffer[]): void {
    this.#alive();
    this.errors.guard("submission", () => this.#gpu.queue.submit([...commands]));
  }

  /**
   * Submits recorded work together with a read of a primed size; `finish` it to wait for both.
   * @throws {Error} where reads are awaited here, or the size was not primed.
   * @internal
   */
  submitAndRead(
    commands: readonly GPUCommandBuffer[],
    buffer: DeviceBuffer,
    bytes: number,
  ): PendingRead {
    this.#alive();
    const start = () => this.readBack.start(buffer.gpu, { bytes }, commands);
    return this.errors.guard("submission", start);
  }

  /** Records dispatches, in order, into one pass and submits it. */
  run(dispatches: readonly Dispatch[]): void {
    this.submit([this.encode([{ dispatches }])]);
  }

  /**
   * A batch of timestamps, or nothing where the adapter has none.
   * @internal
   */
  timestamps(capacity: number): TimestampBatch | undefined {
    return this.clock === "gpu" ? new TimestampBatch(this.#gpu, capacity) : undefined;
  }

  /**
   * Waits until all submitted work and all uploads are done.
   * @throws {DeviceError} the first error of that work.
   */
  async finish(): Promise<void> {
    this.#alive();
    if (this.readBack.mode === "awaited") {
      this.#gpu.queue.submit([]); // what upload queued is flushed only by a submission
      await this.#gpu.queue.onSubmittedWorkDone();
    } else await this.#fence();
    await this.errors.settle();
  }

  /** Takes the device away as a driver would; what comes next fails with `DeviceLost`. */
  async lose(): Promise<void> {
    this.#gpu.destroy();
    this.errors.report(new DeviceError("DeviceLost", "Cannot go on with the device: it was lost"));
    await nextTurn();
  }

  /** Drains pending maps, then destroys the device; a second time does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.errors.close();
    await this.readBack.drain();
    this.#gpu.destroy();
  }

  /** A tiny eager read-back, ordered after all earlier work. */
  async #fence(): Promise<void> {
    using scratch = new DeviceBuffer(this.#gpu, this.ledger, { label: "fence", bytes: 16 });
    await this.readBack.read(scratch.gpu, { bytes: 16 });
  }

  #alive(): void {
    if (this.#closed) throw new DeviceError("DeviceLost", "Cannot use the device: it is closed");
    this.errors.check();
  }
}
