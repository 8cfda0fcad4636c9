import type { Device } from "../../device/device.ts";
import { canaryProgram } from "./ceilings.ts";
import { type Timer, timeUs } from "./timer.ts";
import { median, timeChangeText } from "../../statistics/summary.ts";

/** Rows measured while the canary was further off than this say so in their reason. */
const CANARY_BOUND_PCT = 10;

/** A fixed kernel run between cases: how much slower the machine got. */
export class Canary implements Disposable {
  readonly #timer: Timer;
  readonly #buffers;
  readonly #dispatch;
  readonly #readings: number[] = [];
  #startUs = 0;

  /** Binds the kernel; `start` must be awaited before the first reading. */
  constructor(device: Device, timer: Timer) {
    this.#timer = timer;
    const from_ = device.allocate({ label: "canary.from", bytes: 16 });
    const to = device.allocate({ label: "canary.to", bytes: 4096 });
    this.#buffers = [from_, to];
    this.#dispatch = device.bind(canaryProgram(), { from_, to });
  }

  /** Warms up and takes the time that later ones are compared with. */
  async start(): Promise<void> {
    await this.#timer.warmUp([this.#dispatch]);
    this.#startUs = await this.#time();
  }

  /** The kernel's time, in us: the median of all readings so far. */
  get medianUs(): number {
    return median(this.#readings);
  }

  /** How much longer the kernel takes now than at the start, in percent. */
  async driftPct(): Promise<number> {
    return 100 * (await this.#time() / this.#startUs - 1);
  }

  async #time(): Promise<number> {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      times.push(timeUs(await this.#timer.sample([this.#dispatch])));
    }
    const time = Math.min(...times);
    this.#readings.push(time);
    return time;
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#dispatch.params?.destroy();
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** What a row says where the machine was not as fast as at the start; empty within the bound. */
export function driftReason(canaryPct: number): string {
  if (Math.abs(canaryPct) <= CANARY_BOUND_PCT) return "";
  return `the machine's speed changed: the canary took ${timeChangeText(canaryPct, 0)}`;
}
