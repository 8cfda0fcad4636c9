import { EngineCore } from "../schedules/engine_core.ts";
import { Scheduler } from "../schedules/scheduler.ts";
import { RankExecutor } from "./rank_executor.ts";
import type { Rank, StepResult } from "./rank.ts";

/** How fast a generation went; units in the names. */
export interface GenerationSpeed {
  readonly prefill_tokens: number;
  readonly prefill_tokens_per_s: number;
  /** Tokens after the first, which prefill gives. */
  readonly decode_tokens: number;
  readonly decode_tokens_per_s: number;
  /** Share of decode steps' wall time that is not the adapter's own; 0 without timestamps. */
  readonly host_overhead_pct: number;
}

/** Greedy decoding of one prompt on one rank. */
export class Generation {
  readonly #rank: Rank;
  readonly #promptTokenIds: readonly number[];
  readonly #maxTokens: number;
  readonly #prefill: StepResult[] = [];
  readonly #decode: StepResult[] = [];

  /** A generation that has not begun. */
  constructor(
    rank: Rank,
    request: { readonly promptTokenIds: readonly number[]; readonly maxTokens: number },
  ) {
    this.#rank = rank;
    this.#promptTokenIds = request.promptTokenIds;
    this.#maxTokens = request.maxTokens;
  }

  /** The generated token ids, each as soon as it is known. */
  async *tokens(): AsyncGenerator<number> {
    const { maxTokens } = this.#rank.stage;
    const scheduler = new Scheduler({ maxNumBatchedTokens: maxTokens, maxNumSeqs: 1 });
    scheduler.add({ id: 0, promptTokenIds: this.#promptTokenIds, maxTokens: this.#maxTokens });
    const engine = new EngineCore(scheduler, new RankExecutor(this.#rank));
    // Compiling and tuning belong to no token.
    await this.#rank.prepare({ tokens: 1, samples: 1 });
    for (let rest = this.#promptTokenIds.length; rest > 0; rest -= maxTokens) {
      const isLast = rest <= maxTokens;
      await this.#rank.prepare({ tokens: Math.min(rest, maxTokens), samples: isLast ? 1 : 0 });
    }
    let isPrefill = true;
    while (engine.isBusy) {
      const out = await engine.step();
      if (!out) continue;
      (isPrefill ? this.#prefill : this.#decode).push(out.result);
      if (out.newTokens.length > 0) isPrefill = false;
      for (const { tokenId } of out.newTokens) yield tokenId;
    }
  }

  /** What the steps so far took. */
  speed(): GenerationSpeed {
    const total = (steps: readonly StepResult[], of: (step: StepResult) => number) =>
      steps.reduce((sum, step) => sum + of(step), 0);
    const perS = (count: number, steps: readonly StepResult[]) =>
      count === 0 ? 0 : count / total(steps, (step) => step.hostUs) * 1e6;
    const hostUs = total(this.#decode, (step) => step.hostUs);
    const gpuUs = total(this.#decode, (step) => step.gpuUs ?? step.hostUs);
    return {
      prefill_tokens: this.#promptTokenIds.length,
      prefill_tokens_per_s: perS(this.#promptTokenIds.length, this.#prefill),
      decode_tokens: this.#decode.length,
      decode_tokens_per_s: perS(this.#decode.length, this.#decode),
      host_overhead_pct: hostUs === 0 ? 0 : 100 * (1 - gpuUs / hostUs),
    };
  }
}
