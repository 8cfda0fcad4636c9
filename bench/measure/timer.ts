import type { Device } from "../../device/device.ts";
import type { Dispatch } from "../../device/dispatch.ts";
import { TimestampBatch } from "../../device/timestamps.ts";
import { median } from "../../statistics/summary.ts";

/** One timed run. */
export interface Sample {
  /** Microseconds on the adapter's clock; absent where it has none. */
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

/** Why a measurement ended. */
export type StopReason = "noise_target" | "noise_stable" | "timeout" | "max_samples";

/** When a measurement may end: min time AND min samples AND (noise at target OR noise stable). */
export interface StopCriteria {
  readonly minTimeMs: number;
  readonly minSamples: number;
  readonly maxNoisePct: number;
  readonly timeoutS: number;
}

const MAX_SAMPLES = 1000;
const PLATEAU_PCT = 5;

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
   * Runs dispatches once, in one pass and one submission, and waits for them. `before` runs in a
   * pass of its own ahead of the timed one; the host's times then include it.
   */
  async sample(dispatches: readonly Dispatch[], before?: Dispatch): Promise<Sample> {
    const batch = this.#batch;
    const start = performance.now();
    const timed = { dispatches, timestampWrites: batch?.writes(0) };
    const commands = this.#device.encode(
      before ? [{ dispatches: [before] }, timed] : [timed],
      (encoder) => batch?.resolve(encoder, 1),
    );
    this.#device.submit([commands]);
    const submitted = performance.now();
    let gpuUs: number | undefined;
    let done: number;
    if (batch && this.#device.readBack.mode === "eager") {
      const bytes = this.#device.readBack.readNow(batch.buffer, { bytes: 16 });
      done = performance.now();
      gpuUs = TimestampBatch.durationsUs(bytes)[0];
      await this.#device.readBack.yield();
    } else {
      await this.#device.finish();
      done = performance.now();
      if (batch) {
        const bytes = await this.#device.readBack.read(batch.buffer, { bytes: 16 });
        gpuUs = TimestampBatch.durationsUs(bytes)[0];
      }
    }
    return { gpuUs, hostUs: (done - start) * 1000, submitUs: (submitted - start) * 1000 };
  }

  /** Runs until two runs in a row take the same time within 5 %, at most `most` runs. */
  async warmUp(dispatches: readonly Dispatch[], most = 5): Promise<void> {
    let last = Infinity;
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

/** Decides after each sample whether a measurement ends. */
export class StoppingRule {
  readonly #rule: StopCriteria;
  readonly #noise: number[] = [];
  #timedMs = 0;
  #spentMs = 0;

  /** A rule that has seen no sample. */
  constructor(rule: StopCriteria) {
    this.#rule = rule;
  }

  /** The reason to stop after these times, the last of which took `spentUs` on the host; or undefined. */
  next(
    timesUs: readonly number[],
    { noise, spentUs }: { readonly noise: () => number; readonly spentUs: number },
  ): StopReason | undefined {
    const { minTimeMs, minSamples, maxNoisePct, timeoutS } = this.#rule;
    this.#spentMs += spentUs / 1000;
    this.#timedMs += (timesUs.at(-1) ?? 0) / 1000;
    if (timesUs.length >= minSamples && this.#timedMs >= minTimeMs) {
      const noisePct = noise();
      this.#noise.push(noisePct);
      if (noisePct <= maxNoisePct) return "noise_target";
      const recent = this.#noise.slice(-5);
      const middle = median(recent);
      // The interval hardly moves any more: more samples of this machine will not make it quieter.
      if (
        recent.length === 5 && timesUs.length >= 2 * minSamples &&
        recent.every((n) => Math.abs(n - middle) <= middle * 0.1)
      ) return "noise_stable";
    }
    if (timesUs.length >= MAX_SAMPLES) return "max_samples";
    if (this.#spentMs > timeoutS * 1000) return "timeout";
    return undefined;
  }
}
