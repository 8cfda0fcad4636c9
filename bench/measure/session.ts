import type { Device } from "../../device/device.ts";
import { Canary } from "./canary.ts";
import { type Ceilings, measureCeilings } from "./ceilings.ts";
import { Timer } from "./timer.ts";
import { shortHash } from "../../records/files/short_hash.ts";
import { Tuner } from "./tuner.ts";
import { TuningStore } from "./tuning_store.ts";

/** What a run says of its session in the manifest. */
export interface SessionReport {
  readonly ceilings: Ceilings;
  /** Time of the canary, the median of its readings: the machine's own speed. */
  readonly canary_us: number;
  /** Hash of each shader's text that was used, by kernel/variant. */
  readonly shaders: Readonly<Record<string, string>>;
  /** Where the time went; what is left is the harness's own: references, checks, bookkeeping. */
  readonly time_ms: Readonly<
    Record<"total" | "set_up" | "compile" | "gpu_and_waiting" | "harness", number>
  >;
}

/** What the suites of one run share: a device with its timer, tuning, measured ceilings and canary. */
export class Session implements Disposable {
  readonly device: Device;
  readonly timer: Timer;
  readonly tuning: TuningStore;
  readonly tuner: Tuner;
  readonly ceilings: Ceilings;
  readonly canary: Canary;
  readonly #start: number;
  readonly #waitedMs: number;
  #setUpMs = 0;

  private constructor(
    parts: Pick<Session, "device" | "timer" | "tuning" | "tuner" | "ceilings" | "canary">,
    before: { readonly start: number; readonly waitedMs: number },
  ) {
    this.device = parts.device;
    this.timer = parts.timer;
    this.tuning = parts.tuning;
    this.tuner = parts.tuner;
    this.ceilings = parts.ceilings;
    this.canary = parts.canary;
    this.#start = before.start;
    this.#waitedMs = before.waitedMs;
  }

  /** Measures the ceilings; without a folder, tuning results are kept in memory only. */
  static async open(device: Device, tuningFolder: string | undefined): Promise<Session> {
    const before = { start: performance.now(), waitedMs: device.readBack.waitMs };
    const timer = await new Timer(device).ready();
    const tuning = await TuningStore.open(device.identity.name, tuningFolder);
    const tuner = new Tuner(device, timer, tuning);
    const ceilings = await measureCeilings(device, timer);
    const canary = new Canary(device, timer);
    await canary.start();
    return new Session({ device, timer, tuning, tuner, ceilings, canary }, before);
  }

  /** Runs what fills tensors and sends them to the device, and counts its time as set-up. */
  setUp<T>(run: () => T): T {
    const start = performance.now();
    try {
      return run();
    } finally {
      this.#setUpMs += performance.now() - start;
    }
  }

  /** What the session has found and spent so far. */
  report(): SessionReport {
    const { device, ceilings } = this;
    const total = performance.now() - this.#start;
    const gpu_and_waiting = device.readBack.waitMs - this.#waitedMs;
    const compile = device.pipelines.compileMs;
    const set_up = this.#setUpMs;
    const harness = total - gpu_and_waiting - compile - set_up;
    const shaders = Object.fromEntries(
      device.pipelines.shaders().map(([name, wgsl]) => [name, shortHash(wgsl)]),
    );
    const canary_us = this.canary.medianUs;
    return {
      ceilings,
      canary_us,
      shaders,
      time_ms: { total, set_up, compile, gpu_and_waiting, harness },
    };
  }

  /** Frees what it holds; the device stays open. */
  [Symbol.dispose](): void {
    this.canary[Symbol.dispose]();
    this.timer[Symbol.dispose]();
  }
}
