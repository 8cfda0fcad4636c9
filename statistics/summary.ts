/** What a list of samples says: order statistics first, an interval for the median, and the noise. */

import { quantile } from "./quantile.ts";
import { roundInterval } from "./round_interval.ts";

/** The summary of a list of samples, in the samples' own unit. */
export interface Summary {
  /** How many values there were. */
  readonly n: number;
  /** The least value. */
  readonly min: number;
  /** The middle value. */
  readonly median: number;
  /** The arithmetic mean. */
  readonly mean: number;
  /** The 90th percentile. */
  readonly p90: number;
  /** The 95th percentile. */
  readonly p95: number;
  /** Undefined where n < 100: fewer samples say nothing about it. */
  readonly p99: number | undefined;
  /** The sample standard deviation (n - 1); undefined for one sample. */
  readonly stdev: number | undefined;
  /** stdev / mean, a ratio. */
  readonly cv: number | undefined;
  /** The 95 % interval of the median, see {@linkcode roundInterval}. */
  readonly ciLow: number;
  /** Upper end of that interval. */
  readonly ciHigh: number;
  /** Half the width of that interval in % of the median; Infinity where it is unknown. */
  readonly noisePct: number;
  /** How many rounds the samples came in. */
  readonly rounds: number;
  /** Lag-1 autocorrelation of the rounds, see {@linkcode roundInterval}. */
  readonly autocorrelation: number | undefined;
}

/** Below this many samples p99 is not given. */
export const P99_SAMPLES = 100;

/**
 * The middle value, or the mean of the two middle ones, of numbers in any order.
 * @throws {RangeError} for none.
 */
export function median(values: readonly number[]): number {
  return quantile([...values].sort((a, b) => a - b), 0.5);
}

/**
 * Summarises samples in the order in which they were taken; `rounds` has the round of each, and is every
 * sample's own where absent.
 * @throws {RangeError} where there are none, one is not finite, or there are not as many rounds.
 */
export function summarise(
  samples: readonly number[],
  rounds: readonly number[] = [...samples.keys()],
): Summary {
  const ascending = [...samples].sort((a, b) => a - b);
  const n = ascending.length;
  const odd = ascending.find((sample) => !Number.isFinite(sample));
  if (odd !== undefined) throw new RangeError(`Cannot summarise "${odd}": not a finite number`);

  const mean = ascending.reduce((sum, sample) => sum + sample, 0) / n;
  const squares = ascending.reduce((sum, sample) => sum + (sample - mean) ** 2, 0);
  const stdev = n > 1 ? Math.sqrt(squares / (n - 1)) : undefined;
  const middle = quantile(ascending, 0.5);
  const { low, high, rounds: count, autocorrelation } = roundInterval(samples, rounds);
  return {
    n,
    min: quantile(ascending, 0),
    median: middle,
    mean,
    p90: quantile(ascending, 0.9),
    p95: quantile(ascending, 0.95),
    p99: n >= P99_SAMPLES ? quantile(ascending, 0.99) : undefined,
    stdev,
    cv: stdev === undefined || mean === 0 ? undefined : stdev / mean,
    ciLow: low,
    ciHigh: high,
    noisePct: count > 1 ? noiseOf(middle, high - low) : Infinity,
    rounds: count,
    autocorrelation,
  };
}

function noiseOf(middle: number, width: number): number {
  if (width === 0) return 0;
  return middle === 0 ? Infinity : 100 * (width / 2) / Math.abs(middle);
}

/** A change of a time in words, such as "12 % less time": no sign that could be misread. */
export function timeChangeText(pct: number, digits: number): string {
  return `${Math.abs(pct).toFixed(digits)} % ${pct > 0 ? "more" : "less"} time`;
}
