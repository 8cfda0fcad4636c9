import type { Executor } from "../schedules/engine_core.ts";
import type { ScheduledBatch } from "../schedules/scheduler.ts";
import type { Rank, StepResult, TokenBatch } from "./rank.ts";

/** The tokens of a scheduled batch, one after another. */
export function tokenBatch({ parts }: ScheduledBatch): TokenBatch {
  const batch = {
    tokenIds: [] as number[],
    positions: [] as number[],
    slots: [] as number[],
    samples: [] as number[],
  };
  for (const { tokenIds, start, slot, isSampled } of parts) {
    tokenIds.forEach((id, i) => {
      batch.tokenIds.push(id);
      batch.positions.push(start + i);
      batch.slots.push(slot);
    });
    if (isSampled) batch.samples.push(batch.tokenIds.length - 1);
  }
  return batch;
}

const NOTHING: StepResult = {
  tokenIds: [],
  gpuUs: 0,
  hostUs: 0,
  submitUs: 0,
  waitUs: 0,
  exchangeUs: 0,
};

/** Runs batches one at a time on the only rank. */
export class RankExecutor implements Executor<StepResult> {
  readonly depth = 1;
  readonly #rank: Rank;

  /** An executor over an open rank, which stays the caller's. */
  constructor(rank: Rank) {
    this.#rank = rank;
  }

  /** Runs a batch; an empty one takes no time. */
  async submit(batch: ScheduledBatch): Promise<StepResult> {
    return batch.parts.length === 0 ? NOTHING : await this.#rank.step(tokenBatch(batch));
  }
}
