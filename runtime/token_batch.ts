import { maxLogitsRows } from "../model/stage_memory.ts";
import { type Stage, stageEnds } from "../model/stage_program.ts";
import type { SchedulerOutput } from "../schedules/scheduler.ts";

/** Tokens of one forward pass, of any number of sequences. */
export interface TokenBatch {
  readonly tokenIds: readonly number[];
  /** Of each token in its sequence. */
  readonly positions: readonly number[];
  /** The place of each token's sequence in the KV cache. */
  readonly slots: readonly number[];
  /** Rows of the batch whose successor is wanted, ascending. */
  readonly logitsIndices: readonly number[];
}

/**
 * What one stage hands to the next: the last block's result, then the residual, [2, T, H] with rows
 * padded to a whole vec4. It may lie in shared memory.
 */
export type HiddenStates = Float32Array;

/** The tokens of a scheduled batch, one after another. */
export function tokenBatch({ scheduled }: SchedulerOutput): TokenBatch {
  let end = 0;
  return {
    tokenIds: scheduled.flatMap(({ tokenIds }) => tokenIds),
    positions: scheduled.flatMap(({ tokenIds, start }) => tokenIds.map((_, i) => start + i)),
    slots: scheduled.flatMap(({ tokenIds, slot }) => tokenIds.map(() => slot)),
    logitsIndices: scheduled.flatMap(({ tokenIds, isSampled }) => {
      end += tokenIds.length;
      return isSampled ? [end - 1] : [];
    }),
  };
}

/** @throws {RangeError} where a batch does not fit a stage. */
export function checkBatch(stage: Stage, batch: TokenBatch, input: HiddenStates | undefined): void {
  const { tokenIds, positions, slots, logitsIndices } = batch;
  if (stageEnds(stage).isFirst === (input !== undefined)) {
    throw new RangeError("Cannot run the batch: hidden states go to every stage but the first");
  }
  const tokens = tokenIds.length;
  if (tokens < 1 || tokens > stage.maxNumBatchedTokens) {
    throw new RangeError(
      `Cannot run ${tokens} tokens: legal are 1 to ${stage.maxNumBatchedTokens}`,
    );
  }
  if (positions.length !== tokens || slots.length !== tokens) {
    throw new RangeError("Cannot run a batch whose tokens, positions and slots differ in number");
  }
  const within = (name: string, values: readonly number[], end: number) => {
    const found = values.find((value) => !Number.isInteger(value) || value < 0 || value >= end);
    if (found !== undefined) {
      throw new RangeError(`Cannot run ${name} ${found}: legal are 0 to ${end - 1}`);
    }
  };
  within("token id", tokenIds, stage.model.vocab);
  within("position", positions, stage.maxModelLen);
  within("slot", slots, stage.maxNumSeqs);
  within("sample", logitsIndices, tokens);
  const most = maxLogitsRows(stage);
  if (
    logitsIndices.length > most || logitsIndices.some((s, i) => i > 0 && s <= logitsIndices[i - 1]!)
  ) {
    throw new RangeError(`Cannot sample ${logitsIndices}: at most ${most}, ascending`);
  }
}
