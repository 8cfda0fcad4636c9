import type { NewToken, Scheduler, SchedulerOutput } from "./scheduler.ts";

/** What runs batches: real ranks, or a clock that only counts. */
export interface Executor<Result extends BatchResult = BatchResult> {
  /** Batches that may be in flight at once: vLLM's `max_concurrent_batches`. */
  readonly maxConcurrentBatches: number;
  /** Starts a batch; batches end in the order in which they were submitted. */
  submit(batch: SchedulerOutput): Promise<Result>;
}

/** What a batch gave: the successors of its sampled tokens, in order. */
export interface BatchResult {
  /** The new tokens. */
  readonly tokenIds: readonly number[];
}

/** What one call of the engine's step brought. */
export interface StepOutput<Result> {
  /** What was run. */
  readonly batch: SchedulerOutput;
  /** What it gave. */
  readonly result: Result;
  /** The tokens that came out of it. */
  readonly newTokens: readonly NewToken[];
}

/**
 * vLLM's engine: schedules batches and takes their results, oldest first. With an executor of depth 1
 * it is the naive `step` (schedule, run, wait); with a deeper one `step_with_batch_queue`.
 */
export class EngineCore<Result extends BatchResult = BatchResult> {
  readonly #scheduler: Scheduler;
  readonly #executor: Executor<Result>;
  readonly #queue: { readonly batch: SchedulerOutput; readonly result: Promise<Result> }[] = [];

  /** An engine with nothing in flight. */
  constructor(scheduler: Scheduler, executor: Executor<Result>) {
    this.#scheduler = scheduler;
    this.#executor = executor;
  }

  /** Whether a step can still bring anything. */
  get isBusy(): boolean {
    return this.#scheduler.hasRequests || this.#queue.length > 0;
  }

  /**
   * Schedules a batch if there are requests, and waits for the oldest one unless the queue has room:
   * filling it beats waiting. Nothing comes back while it fills.
   * @throws what the executor's batch was rejected with.
   */
  async step(): Promise<StepOutput<Result> | undefined> {
    const { maxConcurrentBatches } = this.#executor;
    if (this.#scheduler.hasRequests) {
      const batch = this.#scheduler.schedule();
      const result = this.#executor.submit(batch);
      result.catch(() => {}); // whoever takes it from the queue sees the error
      this.#queue.push({ batch, result });
      const hasWork = batch.scheduled.length > 0 || this.#scheduler.hasRequests;
      if (this.#queue.length < maxConcurrentBatches && hasWork) return undefined;
    }
    const oldest = this.#queue.shift();
    if (!oldest) return undefined;
    const result = await oldest.result;
    const newTokens = this.#scheduler.updateFromOutput(oldest.batch, result.tokenIds);
    return { batch: oldest.batch, result, newTokens };
  }
}
