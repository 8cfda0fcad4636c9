import type { Device } from "../../device/device.ts";
import type { Dispatch } from "../../device/dispatch.ts";
import { TimestampBatch } from "../../device/timestamps.ts";

/** One timed run. */
export interface Sample {
  /** Microseconds on the adapter's clock; absent where it has none, or where it ran backwards. */
  readonly gpuUs: number | undefined;
  /** Microseconds from recording to the result being readable on the host. */
  readonly hostUs: number;
  /** Microseconds of recording and submitting alone. */
  readonly submitUs: number;
}

/** What a sample took, in us: on the adapter's clock, or on the host's where the adapter has none. */
export function timeUs({ gpuUs, hostUs }: Sample): number {
  return gpuUs ?? hostUs;
}

const PLATEAU_PCT = 5;

/** The time of one pass in us; none where the clock stood still or ran backwards: no pass takes no time. */
function durationUs(timestamps: ArrayBuffer): number | undefined {
  return TimestampBatch.durationsUs(timestamps)[0] || undefined;
}

/** Times dispatches, one submission a sample. */
export class Timer implements Disposable {
  readonly #device: Device;
  readonly #batch: TimestampBatch | undefined;

  /** A timer on a device; `ready` must be awaited once before the first sample. */
  constructor(device: Device) {
    this.#device = device;
    this.#batch = device.timestamps(1);
  }

  /** Primes the read-back of one pair of timestamps. */
  async ready(): Promise<this> {
    await this.#device.readBack.prime(16);
    return this;
  }

  /**
   * Runs dispatches once, in one pass and one submission, and waits for them. Whatever was queued
   * before, and `evict` where it is given, has been waited for when the clocks start.
   */
  async sample(dispatches: readonly Dispatch[], evict?: Dispatch): Promise<Sample> {
    if (evict) this.#device.run([evict]);
    await this.#device.finish();
    return await this.sampleIdle(dispatches);
  }

  /** A sample on a device that the caller has waited for: what is still queued counts as its time. */
  async sampleIdle(dispatches: readonly Dispatch[]): Promise<Sample> {
    const batch = this.#batch;
    const start = performance.now();
    const commands = this.#device.encode(
      [{ dispatches, timestampWrites: batch?.writes(0) }],
      (encoder) => batch?.resolve(encoder, 1),
    );
    this.#device.submit([commands]);
    const submitted = performance.now();
    let gpuUs: number | undefined;
    let done: number;
    if (batch && this.#device.readBack.mode === "eager") {
      const bytes = this.#device.readBack.readNow(batch.buffer, { bytes: 16 });
      done = performance.now();
      gpuUs = durationUs(bytes);
      await this.#device.readBack.yield();
    } else {
      await this.#device.finish();
      done = performance.now();
      if (batch) gpuUs = durationUs(await this.#device.readBack.read(batch.buffer, { bytes: 16 }));
    }
    return { gpuUs, hostUs: (done - start) * 1000, submitUs: (submitted - start) * 1000 };
  }

  /** Runs until two runs in a row take the same time within 5 %, at most `most` runs. */
  async warmUp(dispatches: readonly Dispatch[], most = 5): Promise<void> {
    let last = NaN;
    for (let i = 0; i < most; i++) {
      const time = timeUs(await this.sample(dispatches));
      if (Math.abs(time - last) <= last * PLATEAU_PCT / 100) return;
      last = time;
    }
  }

  /** Frees the queries. */
  [Symbol.dispose](): void {
    this.#batch?.[Symbol.dispose]();
  }
}
