/** An interval of a share, and the share itself. */
export interface ShareInterval {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** How little may lie beyond either end. */
const TAIL = 0.025;

/**
 * The exact 95 % interval of a share of which `hits` of `trials` were seen (Clopper and Pearson,
 * Biometrika 26, 1934): its ends are where so many, or so few, have a chance of 2.5 %.
 *
 * @throws RangeError for no trials.
 */
export function binomialInterval(hits: number, trials: number): ShareInterval {
  if (!(trials > 0)) throw new RangeError(`Cannot estimate a share from ${trials} trials`);
  return {
    share: hits / trials,
    low: hits === 0 ? 0 : rootOf((p) => 1 - atMost(hits - 1, trials, p) - TAIL),
    high: hits === trials ? 1 : rootOf((p) => TAIL - atMost(hits, trials, p)),
  };
}

/** P(X <= k) of n trials with chance p each, 0 < p < 1. */
function atMost(k: number, n: number, p: number): number {
  let log = n * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let i = 1; i <= k; i++) {
    log += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(log);
  }
  return sum;
}

/** Where an increasing function of 0 to 1 crosses 0, to 2^-50. */
function rootOf(increasing: (p: number) => number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (increasing(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
