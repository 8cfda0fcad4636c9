/** What a list of samples says: order statistics first, an interval for the median, and the noise. */

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
  /** The 95 % interval of the median, see {@linkcode medianInterval}. */
  readonly ciLow: number;
  /** Upper end of that interval. */
  readonly ciHigh: number;
  /** Half the width of that interval in % of the median; Infinity where it is unknown. */
  readonly noisePct: number;
}

/** The chance that {@linkcode medianInterval} leaves the true median outside. */
const MISS_CHANCE = 0.05;

/** Below this many samples p99 is not given. */
const P99_SAMPLES = 100;

/**
 * The quantile of ascending samples by linear interpolation (type 7 of Hyndman and Fan).
 *
 * With h = (n - 1) * p it is x[floor(h)] + (h - floor(h)) * (x[floor(h) + 1] - x[floor(h)]), counting
 * from 0; the default of R, NumPy and spreadsheets' PERCENTILE.INC.
 * @throws {RangeError} for no samples, or where p is outside 0 to 1.
 */
export function quantile(ascending: readonly number[], p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`Cannot take quantile "${p}": legal are 0 to 1`);
  const h = (ascending.length - 1) * p;
  const below = ascending[Math.floor(h)];
  const above = ascending[Math.ceil(h)];
  if (below === undefined || above === undefined) {
    throw new RangeError(`Cannot take quantile "${p}": there are no samples`);
  }
  return below === above ? below : below + (h - Math.floor(h)) * (above - below);
}

/**
 * The middle value, or the mean of the two middle ones, of numbers in any order.
 * @throws {RangeError} for none.
 */
export function median(values: readonly number[]): number {
  return quantile([...values].sort((a, b) => a - b), 0.5);
}

/**
 * An interval that holds the true median with a chance of at least 95 %, whatever the distribution.
 *
 * It is [x(k), x(n+1-k)] of the order statistics with the largest k for which
 * 1 - 2 P(B <= k - 1) >= 0.95, B binomial with n trials of chance 1/2. Fewer than 6 samples have no
 * such k: then it is [min, max], whose chance is 1 - 2^(1-n), 94 % for 5 samples and 75 % for 3.
 */
export function medianInterval(ascending: readonly number[]): readonly [number, number] {
  const n = ascending.length;
  let logTerm = -n * Math.LN2;
  let below = Math.exp(logTerm);
  let k = 0;
  while (2 * below <= MISS_CHANCE) {
    k += 1;
    logTerm += Math.log((n - k + 1) / k);
    below += Math.exp(logTerm);
  }
  const low = ascending[Math.max(0, k - 1)];
  const high = ascending[n - Math.max(1, k)];
  if (low === undefined || high === undefined) {
    throw new RangeError('Cannot bound the median of "0 samples": there is none');
  }
  return [low, high];
}

/**
 * Summarises samples, in any order.
 * @throws {RangeError} where there are none, or one is not finite.
 */
export function summarise(samples: Iterable<number>): Summary {
  const ascending = [...samples].sort((a, b) => a - b);
  const n = ascending.length;
  const odd = ascending.find((sample) => !Number.isFinite(sample));
  if (odd !== undefined) throw new RangeError(`Cannot summarise "${odd}": not a finite number`);

  const mean = ascending.reduce((sum, sample) => sum + sample, 0) / n;
  const squares = ascending.reduce((sum, sample) => sum + (sample - mean) ** 2, 0);
  const stdev = n > 1 ? Math.sqrt(squares / (n - 1)) : undefined;
  const middle = quantile(ascending, 0.5);
  const [ciLow, ciHigh] = medianInterval(ascending);
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
    ciLow,
    ciHigh,
    noisePct: n > 1 ? noiseOf(middle, ciHigh - ciLow) : Infinity,
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
