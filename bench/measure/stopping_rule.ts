import { median, summarise } from "../../statistics/summary.ts";

/** Why a measurement ended. */
export type StopReason = "noise_target" | "noise_stable" | "timeout" | "max_samples";

/**
 * When a measurement may end: min time AND min samples AND 10 rounds (fewer only where fewer samples are
 * wanted) AND (noise at target OR noise stable); or the timeout.
 */
export interface StopCriteria {
  readonly minTimeMs: number;
  readonly minSamples: number;
  readonly maxNoisePct: number;
  readonly timeoutS: number;
}

/** A round's part of what a row takes at least. */
export interface TurnCriteria {
  readonly minTimeMs: number;
  readonly minSamples: number;
  readonly maxSamples: number;
}

/** Intervals of fewer rounds say little: machines change their speed from one to the next. */
const MIN_ROUNDS = 10;
const MAX_SAMPLES = 1000;
const STABLE_TURNS = 5;
/** Noise counts as stable within so much of its middle. */
const STABLE_PCT = 10;

/** Keeps the times of a row by round and decides after each round whether there are enough. */
export class StoppingRule {
  readonly #criteria: StopCriteria;
  readonly #timesUs: number[] = [];
  readonly #rounds: number[] = [];
  readonly #noisePct: number[] = [];
  #turns = 0;
  #spentMs = 0;

  /** A rule that has seen no sample. */
  constructor(criteria: StopCriteria) {
    this.#criteria = criteria;
  }

  /** The round of each time so far, counted from 0. */
  get rounds(): readonly number[] {
    return this.#rounds;
  }

  /** What a turn of so many turns takes at least, so that the whole has enough. */
  static turn({ minTimeMs, minSamples }: StopCriteria): TurnCriteria {
    return {
      minTimeMs: minTimeMs / MIN_ROUNDS,
      minSamples: Math.ceil(minSamples / MIN_ROUNDS),
      maxSamples: MAX_SAMPLES / MIN_ROUNDS,
    };
  }

  /**
   * Takes in the times of a turn, those that the row's interval is made of, and the time that the turn
   * spent in all; gives the reason to stop, or undefined. Turns without times are no rounds.
   */
  endTurn(timesUs: readonly number[], spentUs: number): StopReason | undefined {
    const { minTimeMs, minSamples, maxNoisePct, timeoutS } = this.#criteria;
    if (timesUs.length > 0) {
      this.#timesUs.push(...timesUs);
      this.#rounds.push(...timesUs.map(() => this.#turns));
      this.#turns++;
    }
    this.#spentMs += spentUs / 1000;
    const count = this.#timesUs.length;
    const timedMs = this.#timesUs.reduce((sum, us) => sum + us, 0) / 1000;
    if (
      count >= minSamples && timedMs >= minTimeMs && this.#turns >= Math.min(MIN_ROUNDS, minSamples)
    ) {
      const { noisePct } = summarise(this.#timesUs, this.#rounds);
      this.#noisePct.push(noisePct);
      if (noisePct <= maxNoisePct) return "noise_target";
      if (count >= 2 * minSamples && isStable(this.#noisePct)) return "noise_stable";
    }
    if (count >= MAX_SAMPLES) return "max_samples";
    return this.#spentMs > timeoutS * 1000 ? "timeout" : undefined;
  }
}

/** Whether the noise after each turn hardly moves any more: more rounds of this machine make it no quieter. */
export function isStable(noisePct: readonly number[]): boolean {
  const recent = noisePct.slice(-STABLE_TURNS);
  const middle = median(recent);
  return recent.length === STABLE_TURNS &&
    recent.every((noise) => Math.abs(noise - middle) <= middle * STABLE_PCT / 100);
}
