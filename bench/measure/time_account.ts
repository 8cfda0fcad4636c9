/** Where the time of a session went, in ms. */
export interface TimeShares {
  readonly total: number;
  /** Filling tensors and sending them to the device. */
  readonly set_up: number;
  /** Creating pipelines. */
  readonly compile: number;
  /** Waiting for this thread's device. */
  readonly gpu_and_waiting: number;
  /** Waiting for ranks in Workers: opening them, what they compute, how they exchange it, closing them. */
  readonly ranks: number;
  /** What is left, the harness's own: references, checks, bookkeeping. */
  readonly harness: number;
}

/** What a device says of its own time. */
export interface DeviceTimes {
  readonly readBack: { readonly waitMs: number };
  readonly pipelines: { readonly compileMs: number };
}

/** Notes where the time goes; each moment counts once. */
export class TimeAccount {
  readonly #device: DeviceTimes;
  readonly #now: () => number;
  readonly #begun: number;
  readonly #before: { readonly compile: number; readonly waiting: number };
  #setUpMs = 0;
  #ranksMs = 0;

  /** Begins now, of a clock in ms. */
  constructor(device: DeviceTimes, now: () => number = () => performance.now()) {
    this.#device = device;
    this.#now = now;
    this.#begun = now();
    this.#before = { compile: device.pipelines.compileMs, waiting: device.readBack.waitMs };
  }

  /** Runs what fills tensors and sends them to the device, and counts its time as set-up. */
  setUp<T>(run: () => T): T {
    const start = this.#now();
    try {
      return run();
    } finally {
      this.#setUpMs += this.#now() - start;
    }
  }

  /** Waits for ranks in Workers; what this thread's device does meanwhile counts as the device's. */
  async ranks<T>(run: () => Promise<T>): Promise<T> {
    const [start, own] = [this.#now(), this.#ownMs];
    try {
      return await run();
    } finally {
      this.#ranksMs += this.#now() - start - (this.#ownMs - own);
    }
  }

  /** The shares so far. */
  get shares(): TimeShares {
    const total = this.#now() - this.#begun;
    const compile = this.#device.pipelines.compileMs - this.#before.compile;
    const gpu_and_waiting = this.#device.readBack.waitMs - this.#before.waiting;
    const harness = total - this.#ownMs - this.#ranksMs;
    const [set_up, ranks] = [this.#setUpMs, this.#ranksMs];
    return { total, set_up, compile, gpu_and_waiting, ranks, harness };
  }

  /** What this thread spent that has a name. */
  get #ownMs(): number {
    const { pipelines, readBack } = this.#device;
    return this.#setUpMs + pipelines.compileMs - this.#before.compile +
      readBack.waitMs - this.#before.waiting;
  }
}
