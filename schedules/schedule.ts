import type { BatchResult, Executor, StepOutput } from "./engine_core.ts";
import type { Scheduler } from "./scheduler.ts";

/** What schedules batches and takes their results, one after another. */
export interface Engine<Result extends BatchResult> {
  /** Whether a step can still bring anything. */
  readonly isBusy: boolean;
  /** Schedules, submits or waits; nothing comes back where no batch has ended. */
  step(): Promise<StepOutput<Result> | undefined>;
}

/** A way to serve requests. */
export interface Schedule {
  /** Batches that may be in flight, out of the configured `max_concurrent_batches`: a case each. */
  readonly depths: (configured: readonly number[]) => readonly number[];
  /** What serves the requests of a scheduler on an executor. */
  readonly engine: <Result extends BatchResult>(
    scheduler: Scheduler,
    executor: Executor<Result>,
  ) => Engine<Result>;
}
