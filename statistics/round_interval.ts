/** An interval for the median of samples that came in rounds: within a round they share the machine's mood. */

import { quantile } from "./quantile.ts";

/** What the rounds of samples say about their median. */
export interface RoundInterval {
  /** Ends of the 95 % interval, in the samples' unit; the extremes where fewer than 2 rounds bound nothing. */
  readonly low: number;
  readonly high: number;
  /** How many rounds there were. */
  readonly rounds: number;
  /**
   * Lag-1 autocorrelation of the rounds' shares of samples below the median, -1 to 1: near 1 where the
   * machine drifts; undefined below 3 rounds, and where no round differs from another.
   */
  readonly autocorrelation: number | undefined;
}

/** More rounds than this are joined to so many, and to half as many: what outlasts a round is seen in longer ones. */
const JOINED_ROUNDS = 10;

/** See {@linkcode roundBounds}. */
const ROUND_QUANTILE = 0.1;
const LEAST_BOUNDING_ROUNDS = 6;

/** Autocorrelation is taken for at most this: beyond it the samples say nothing of their own number. */
const MAX_AUTOCORRELATION = 0.95;

/** Quantiles of Student's t at 0.975 for 1 and 2 degrees of freedom. */
const T_QUANTILES = [12.7062, 4.30265];
/** Quantile of the normal distribution at 0.975. */
const Z = 1.959964;

/**
 * The 95 % interval of the median of `samples`, in the order in which they were taken; `rounds` has the
 * round of each, never falling.
 *
 * Woodruff (1952) turned into clusters: the share of samples below the median has a standard error that
 * comes from how much that share varies between rounds, sqrt(R / (R - 1) sum d_r^2 tau) / n, where d_r is
 * what round r has below the median beyond half of its samples, and tau = (1 + rho) / (1 - rho) makes up
 * for rounds that resemble the one before (rho, corrected for its bias of -(1 + 3 rho) / R; R / tau rounds
 * are then left). It is never below that of independent samples. The ends are the samples' quantiles at
 * 0.5 -+ t of that error; of more than ten rounds the widest of the intervals by rounds, by ten joined
 * ones and by five (batch means, five without tau) counts. From six rounds on it does not reach beyond what
 * every round has fewer than a tenth of its samples beyond.
 *
 * @throws {RangeError} where there are no samples, or not as many rounds as samples.
 */
export function roundInterval(
  samples: readonly number[],
  rounds: readonly number[],
): RoundInterval {
  if (samples.length === 0) {
    throw new RangeError('Cannot bound the median of "0 samples": there is none');
  }
  if (rounds.length !== samples.length) {
    throw new RangeError(
      `Cannot take rounds of "${samples.length} samples": there are ${rounds.length} rounds of samples`,
    );
  }
  const ascending = [...samples].sort((a, b) => a - b);
  const excess = excessBelow(samples, rounds, quantile(ascending, 0.5));
  const n = samples.length;
  const longer = excess.length > JOINED_ROUNDS ? longerWidths(excess, n) : [];
  const independent = tQuantile(excess.length - 1) * 0.5 / Math.sqrt(n);
  const rho = corrected(autocorrelation(excess), excess.length);
  const half = Math.max(halfWidth(excess, { n, rho }), independent, ...longer);
  const bounds = roundBounds(samples, rounds);
  return {
    low: Math.max(bounds.low, quantile(ascending, Math.max(0, 0.5 - half))),
    high: Math.min(bounds.high, quantile(ascending, Math.min(1, 0.5 + half))),
    rounds: excess.length,
    autocorrelation: excess.length < 3 ? undefined : autocorrelation(excess),
  };
}

/**
 * The least and the most that a round has at {@linkcode ROUND_QUANTILE} of its samples from either end: a
 * single long sample says nothing about the median, however few rounds there are. No bounds below 6
 * rounds, of which the medians alone would miss the true one more often than once in twenty.
 */
function roundBounds(
  samples: readonly number[],
  rounds: readonly number[],
): { readonly low: number; readonly high: number } {
  const byRound = [...Map.groupBy(samples.keys(), (i) => rounds[i]).values()]
    .map((places) => places.map((i) => samples[i]!).sort((a, b) => a - b));
  if (byRound.length < LEAST_BOUNDING_ROUNDS) return { low: -Infinity, high: Infinity };
  return {
    low: Math.min(...byRound.map((ascending) => quantile(ascending, ROUND_QUANTILE))),
    high: Math.max(...byRound.map((ascending) => quantile(ascending, 1 - ROUND_QUANTILE))),
  };
}

/** Of each round, how many samples are below a value, beyond half of them; those equal to it count half. */
function excessBelow(
  samples: readonly number[],
  rounds: readonly number[],
  value: number,
): readonly number[] {
  const excess: number[] = [];
  for (const [i, sample] of samples.entries()) {
    if (i === 0 || rounds[i] !== rounds[i - 1]) excess.push(0);
    excess[excess.length - 1]! += Math.sign(value - sample) / 2;
  }
  return excess;
}

function joined(excess: readonly number[], count: number): readonly number[] {
  const sums = Array<number>(count).fill(0);
  for (const [i, d] of excess.entries()) sums[Math.floor(i * count / excess.length)]! += d;
  return sums;
}

function longerWidths(excess: readonly number[], n: number): readonly number[] {
  const longer = joined(excess, JOINED_ROUNDS);
  return [
    halfWidth(longer, { n, rho: autocorrelation(longer) ?? 0 }),
    halfWidth(joined(excess, JOINED_ROUNDS / 2), { n, rho: 0 }),
  ];
}

/** How far from 0.5 the ends' quantiles are. */
function halfWidth(
  excess: readonly number[],
  { n, rho }: { readonly n: number; readonly rho: number },
): number {
  const size = excess.length;
  if (size < 2) return 0.5;
  const taken = Math.min(MAX_AUTOCORRELATION, Math.max(0, rho));
  const tau = (1 + taken) / (1 - taken);
  const squares = excess.reduce((sum, d) => sum + d * d, 0);
  return tQuantile(size / tau - 1) * Math.sqrt(squares * size / (size - 1) * tau) / n;
}

function autocorrelation(excess: readonly number[]): number | undefined {
  const squares = excess.reduce((sum, d) => sum + d * d, 0);
  if (squares === 0) return undefined;
  return excess.slice(1).reduce((sum, d, i) => sum + d * excess[i]!, 0) / squares;
}

/** Kendall (1954): the estimate of n values is too small by (1 + 3 rho) / n. */
function corrected(rho: number | undefined, size: number): number {
  return rho === undefined ? 0 : rho + (1 + 3 * rho) / size;
}

/** Quantile of Student's t at 0.975, of whole degrees of freedom: Abramowitz and Stegun 26.7.5 from 3 on. */
function tQuantile(degrees: number): number {
  const whole = Math.max(1, Math.floor(degrees));
  const few = T_QUANTILES[whole - 1];
  if (few !== undefined) return few;
  const [z3, z5, z7] = [Z ** 3, Z ** 5, Z ** 7];
  return Z + (z3 + Z) / (4 * whole) + (5 * z5 + 16 * z3 + 3 * Z) / (96 * whole ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * whole ** 3);
}
