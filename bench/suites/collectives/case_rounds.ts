import { type StopCriteria, StoppingRule, type StopReason } from "../../measure/stopping_rule.ts";
import type { LoopResult } from "./collective_loop.ts";
import { slowest } from "./collective_row.ts";

/** The turns of a case so far, and whether there are enough. */
export class CaseRounds {
  stopReason: StopReason | undefined;
  readonly #turns: (readonly LoopResult[])[] = [];
  readonly #stopper: StoppingRule;

  /** A case that was not measured yet. */
  constructor(criteria: StopCriteria) {
    this.#stopper = new StoppingRule(criteria);
  }

  /** Times of each turn, in us: those of the slowest rank. */
  get timesUs(): readonly (readonly number[])[] {
    return this.#turns.map(slowest);
  }

  /** The round of each iteration. */
  get rounds(): readonly number[] {
    return this.#stopper.rounds;
  }

  /** All turns as one, rank by rank. */
  get ranks(): readonly LoopResult[] {
    return (this.#turns[0] ?? []).map((first, rank) => {
      const own = this.#turns.map((ranks) => ranks[rank]!);
      return {
        timesUs: own.flatMap((r) => r.timesUs),
        readUs: own.flatMap((r) => r.readUs),
        exchangeUs: own.flatMap((r) => r.exchangeUs),
        writeUs: own.flatMap((r) => r.writeUs),
        wrongElements: own.reduce((sum, r) => sum + r.wrongElements, 0),
        maxAbsError: Math.max(...own.map((r) => r.maxAbsError)),
        tolerance: first.tolerance,
      };
    });
  }

  /** Takes in what the ranks saw in a turn, and the time that it spent in all. */
  endTurn(ranks: readonly LoopResult[], spentUs: number): void {
    this.#turns.push(ranks);
    this.stopReason = this.#stopper.endTurn(slowest(ranks), spentUs);
  }
}
