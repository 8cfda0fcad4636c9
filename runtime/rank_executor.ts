import type { Executor } from "../schedules/engine_core.ts";
import type { SchedulerOutput } from "../schedules/scheduler.ts";
import type { Rank, StepResult } from "./rank.ts";
import { tokenBatch } from "./token_batch.ts";

const NOTHING: StepResult = {
  tokenIds: [],
  gpuUs: 0,
  hostUs: 0,
  submitUs: 0,
  waitUs: 0,
  exchangeUs: 0,
  spans: [],
};

/** Runs batches one at a time on the only rank. */
export class RankExecutor implements Executor<StepResult> {
  readonly maxConcurrentBatches = 1;
  readonly #rank: Rank;

  /** An executor over an open rank, which stays the caller's. */
  constructor(rank: Rank) {
    this.#rank = rank;
  }

  /** Runs a batch; an empty one takes no time. */
  async submit(batch: SchedulerOutput): Promise<StepResult> {
    return batch.scheduled.length === 0 ? NOTHING : await this.#rank.step(tokenBatch(batch));
  }
}
