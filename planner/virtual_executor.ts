import type { BatchResult, Executor } from "../schedules/engine_core.ts";
import { SCHEDULES } from "../schedules/registry.ts";
import type { Schedule } from "../schedules/schedule.ts";
import type { Scheduler, SchedulerOutput } from "../schedules/scheduler.ts";

/** What a batch gave, and when in virtual time. */
export interface VirtualResult extends BatchResult {
  /** When its last stage was done, in us. */
  readonly endUs: number;
}

/** What decides how long batches take. */
export interface VirtualTimes {
  /** Time of a batch on a stage, in us. */
  readonly stageUs: (stage: number, batch: SchedulerOutput) => number;
  /** Time from one stage to the next, in us; default 0. */
  readonly p2pLatencyUs?: number;
  /** Time of the host between a result and the next launch, in us; default 0. */
  readonly hostUs?: number;
}

/** Pipeline stages that take no time but count it: runs the engine's own code in virtual time. */
export class VirtualExecutor implements Executor<VirtualResult> {
  /** The depth of the queue. */
  readonly maxConcurrentBatches: number;
  readonly #times: VirtualTimes;
  readonly #freeAt: number[];
  #now = 0;
  #busyUs = 0;

  /** Idle stages; up to `depth` batches may be in flight. */
  constructor(stages: number, depth: number, times: VirtualTimes) {
    this.maxConcurrentBatches = depth;
    this.#times = times;
    this.#freeAt = new Array<number>(stages).fill(0);
  }

  /** Time that all stages worked, together, in us. */
  get busyUs(): number {
    return this.#busyUs;
  }

  /** Puts a batch through all stages, each as soon as it is free; every sampled token is 0. */
  submit(batch: SchedulerOutput): Promise<VirtualResult> {
    const { stageUs, p2pLatencyUs = 0, hostUs = 0 } = this.#times;
    const tokenIds = batch.scheduled.filter((part) => part.isSampled).map(() => 0);
    if (batch.scheduled.length === 0) return Promise.resolve({ tokenIds, endUs: this.#now });
    let at = this.#now + hostUs;
    for (const [stage, freeAt] of this.#freeAt.entries()) {
      const us = stageUs(stage, batch);
      at = Math.max(at + (stage > 0 ? p2pLatencyUs : 0), freeAt) + us;
      this.#freeAt[stage] = at;
      this.#busyUs += us;
    }
    return Promise.resolve({ tokenIds, endUs: at });
  }

  /** Serves all requests of a scheduler; the time until the last token, in us. */
  async makespanUs(
    scheduler: Scheduler,
    schedule: Schedule = SCHEDULES.step,
  ): Promise<number> {
    const engine = schedule.engine(scheduler, this);
    while (engine.isBusy) {
      const out = await engine.step();
      // Waiting for a result is what moves the clock.
      if (out) this.#now = Math.max(this.#now, out.result.endUs);
    }
    return this.#now;
  }
}
