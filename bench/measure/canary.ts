import type { Device } from "../../device/device.ts";
import { canaryPrograms } from "./ceilings.ts";
import type { CanaryFacts } from "../../records/rows/canary_pct.ts";
import { type Timer, timeUs } from "./timer.ts";
import { median } from "../../statistics/summary.ts";

/** What is copied: more than caches hold. */
const COPY_BYTES = 2 ** 24;
/** A reading is the median of so many times, which a single interruption does not move. */
const SAMPLES = 5;
/** Readings ahead that do not count: the first ten copies of memory take up to a third longer. */
const WARM_UP_READINGS = 3;
/** The start, and what it is compared with, are medians of so many readings: a short burst is no drift. */
const READINGS = 3;

/** Fixed work run between cases, multiply-adds and copying: how much slower the machine got. */
export class Canary implements Disposable {
  readonly #timer: Timer;
  readonly #buffers;
  readonly #dispatches;
  readonly #readings: (readonly number[])[] = [];

  /** Binds the kernels; `start` must be awaited before the first reading. */
  constructor(device: Device, timer: Timer) {
    this.#timer = timer;
    const bytes = Math.min(COPY_BYTES, device.maxStorageBufferBindingSize);
    const from_ = device.allocate({ label: "canary.from", bytes });
    const to = device.allocate({ label: "canary.to", bytes });
    this.#buffers = [from_, to];
    this.#dispatches = canaryPrograms(bytes).map((program) => device.bind(program, { from_, to }));
  }

  /** Warms up and takes the times that later ones are compared with. */
  async start(): Promise<void> {
    for (let i = 0; i < WARM_UP_READINGS; i++) await this.#read();
    this.#readings.length = 0;
    for (let i = 0; i < READINGS; i++) await this.#read();
  }

  /** Time of all the work, in us: the median of all readings so far. */
  get medianUs(): number {
    return sum(this.#typical(this.#readings));
  }

  /** Times of all the work, in us: a pair of multiply-adds and copying a reading. */
  get readingsUs(): readonly (readonly number[])[] {
    return this.#readings;
  }

  /** Takes one more reading: the times of the last ones beside those at the start. */
  async read(): Promise<CanaryFacts> {
    await this.#read();
    const [startMultiplyAdd, startCopy] = this.#typical(this.#readings.slice(0, READINGS));
    const [multiplyAdd, copy] = this.#typical(this.#readings.slice(-READINGS));
    return {
      canary_start_multiply_add_us: startMultiplyAdd!,
      canary_multiply_add_us: multiplyAdd!,
      canary_start_copy_us: startCopy!,
      canary_copy_us: copy!,
    };
  }

  /** Times each kind of work once more. */
  async #read(): Promise<void> {
    const times: number[] = [];
    for (const dispatch of this.#dispatches) {
      const samples: number[] = [];
      for (let i = 0; i < SAMPLES; i++) {
        samples.push(timeUs(await this.#timer.sample([dispatch])));
      }
      times.push(median(samples));
    }
    this.#readings.push(times);
  }

  #typical(readings: readonly (readonly number[])[]): readonly number[] {
    return this.#dispatches.map((_, i) => median(readings.map((times) => times[i]!)));
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    for (const { params } of this.#dispatches) params?.destroy();
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
