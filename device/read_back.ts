/** How bytes come back from the device: by mapping eagerly, or by awaiting the map. */
export type ReadBackMode = "eager" | "awaited";

const PROBE = Uint32Array.of(0x5eed1234, 0x0badcafe, 0x13579bdf, 0x2468ace0);

/**
 * Reads buffers back without the 10 ms that an awaited `mapAsync` sleeps in Deno.
 *
 * Deno's `mapAsync` polls the device to completion before it returns, so the range is mapped as
 * soon as the call is back. Nothing in WebGPU promises that: it is probed once a device, and where
 * it does not hold, `read` awaits and `readNow` is refused.
 */
export class ReadBack {
  readonly #device: GPUDevice;
  readonly #staging = new Map<number, GPUBuffer[]>();
  #unyielded = 0;
  #mode: ReadBackMode = "awaited";
  #waitMs = 0;

  /** A read-back that awaits until `probe` has shown that it need not. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** What the probe found. */
  get mode(): ReadBackMode {
    return this.#mode;
  }

  /** Milliseconds that the host has waited for the device in reads so far. */
  get waitMs(): number {
    return this.#waitMs;
  }

  /** Sends known bytes through the eager path and compares. */
  async probe(): Promise<ReadBackMode> {
    const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = this.#device.createBuffer({ size: PROBE.byteLength, usage });
    try {
      this.#device.queue.writeBuffer(buffer, 0, PROBE);
      await this.prime(PROBE.byteLength);
      this.#mode = "eager";
      const seen = new Uint32Array(this.readNow(buffer, { bytes: PROBE.byteLength }));
      if (!PROBE.every((word, i) => seen[i] === word)) this.#mode = "awaited";
    } catch {
      this.#mode = "awaited";
    } finally {
      buffer.destroy();
    }
    await nextTurn();
    return this.#mode;
  }

  /**
   * Makes sure that a primed staging buffer of this size is at hand.
   * A staging buffer whose first map was not awaited aborts the process when its range is asked
   * for, so priming has to come before the first `readNow` of a size.
   */
  async prime(bytes: number): Promise<void> {
    const size = stagingSize(bytes);
    if (this.#free(size).length === 0) this.#free(size).push(await this.#primed(size));
  }

  /**
   * Submits commands and the copy of a range in one submission; the size must have been primed.
   * @throws {Error} where the mode is `awaited` or no primed buffer of the size is free.
   */
  start(
    source: GPUBuffer,
    range: ReadRange,
    commands: readonly GPUCommandBuffer[] = [],
  ): PendingRead {
    const size = stagingSize(range.bytes);
    const staging = this.#mode === "eager" ? this.#free(size).pop() : undefined;
    if (!staging) {
      throw new Error(
        `Cannot read ${range.bytes} bytes now: no buffer is primed; the mode is ${this.#mode}`,
      );
    }
    this.#copy(source, staging, range, commands);
    return {
      finish: () => this.#finish(staging, range.bytes, (mapped) => mapped.slice(0, range.bytes)),
      finishInto: (into) =>
        this.#finish(staging, range.bytes, (mapped) => {
          into.set(new Float32Array(mapped, 0, range.bytes / 4));
        }),
    };
  }

  /**
   * Reads synchronously: `start` and `finish` at once.
   * @throws {Error} where the mode is `awaited` or no primed buffer of the size is free.
   */
  readNow(
    source: GPUBuffer,
    range: ReadRange,
    commands: readonly GPUCommandBuffer[] = [],
  ): ArrayBuffer {
    const start = performance.now();
    const pending = this.start(source, range, commands);
    this.#waitMs += performance.now() - start;
    return pending.finish();
  }

  /** Reads in whichever way works here, and lets the event loop turn once. */
  async read(source: GPUBuffer, range: ReadRange): Promise<ArrayBuffer> {
    if (this.#mode === "awaited") return await this.readAwaited(source, range);
    await this.prime(range.bytes);
    const bytes = this.readNow(source, range);
    await this.yield();
    return bytes;
  }

  /** Lets the event loop turn, which releases pending maps; due once a step. */
  async yield(): Promise<void> {
    this.#unyielded = 0;
    await nextTurn();
  }

  /** Reads by awaiting the map: the portable way, and the yardstick of the eager one. */
  async readAwaited(source: GPUBuffer, range: ReadRange): Promise<ArrayBuffer> {
    const size = stagingSize(range.bytes);
    const staging = this.#free(size).pop() ?? await this.#primed(size);
    const start = performance.now();
    this.#copy(source, staging, range, []);
    await staging.mapAsync(GPUMapMode.READ);
    this.#waitMs += performance.now() - start;
    const bytes = staging.getMappedRange(0, align(range.bytes, 4)).slice(0, range.bytes);
    staging.unmap();
    this.#free(size).push(staging);
    return bytes;
  }

  /** Waits until the maps that were left unawaited are settled, then frees the staging buffers. */
  async drain(): Promise<void> {
    if (this.#unyielded > 0) await nextTurn();
    this.close();
  }

  /** Frees the staging buffers. */
  close(): void {
    for (const buffers of this.#staging.values()) for (const buffer of buffers) buffer.destroy();
    this.#staging.clear();
  }

  #finish<T>(staging: GPUBuffer, bytes: number, take: (mapped: ArrayBuffer) => T): T {
    const start = performance.now();
    staging.mapAsync(GPUMapMode.READ).catch(() => {});
    this.#unyielded++;
    const taken = take(staging.getMappedRange(0, align(bytes, 4)));
    this.#waitMs += performance.now() - start;
    staging.unmap();
    this.#free(stagingSize(bytes)).push(staging);
    return taken;
  }

  #free(size: number): GPUBuffer[] {
    const buffers = this.#staging.get(size) ?? [];
    this.#staging.set(size, buffers);
    return buffers;
  }

  async #primed(size: number): Promise<GPUBuffer> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const buffer = this.#device.createBuffer({ label: "staging", size, usage });
    await buffer.mapAsync(GPUMapMode.READ);
    buffer.unmap();
    return buffer;
  }

  #copy(
    source: GPUBuffer,
    staging: GPUBuffer,
    range: ReadRange,
    commands: readonly GPUCommandBuffer[],
  ): void {
    const encoder = this.#device.createCommandEncoder();
    const { offset = 0, bytes } = range;
    encoder.copyBufferToBuffer(source, offset, staging, 0, align(bytes, 4));
    this.#device.queue.submit([...commands, encoder.finish()]);
  }
}

/** A read that was submitted. */
export interface PendingRead {
  /** Waits for the device and returns the bytes; once only. */
  finish(): ArrayBuffer;
  /** Waits for the device and copies the bytes into an array, which may be shared memory; once only. */
  finishInto(into: Float32Array): void;
}

/** A range of a buffer; the offset is a multiple of 4. */
export interface ReadRange {
  /** First byte; default 0. */
  readonly offset?: number;
  /** Length. */
  readonly bytes: number;
}

/** Lets the event loop turn once, in about 7 us: pending maps are released only then. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Sizes are rounded up to powers of two, so that few staging buffers serve every read. */
function stagingSize(bytes: number): number {
  let size = 256;
  while (size < bytes) size *= 2;
  return size;
}

function align(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
