/** Whether two lists of samples come from one distribution: the rank test of Mann and Whitney. */

/** Below so many samples a side, and without ties, the distribution is counted out. */
const EXACT_SAMPLES = 50;

/** What the test found. */
export interface RankTest {
  /** Pairs in which the first list's sample is the larger one, ties counted half. */
  readonly u: number;
  /** The chance of a U at least as far from its mean if both lists had one distribution; two-sided. */
  readonly p: number;
}

/**
 * Mann and Whitney's U of two lists: exact where both have fewer than 50 samples and no ties, else by
 * the normal approximation with corrections for ties and continuity, as R's wilcox.test.
 * @throws {RangeError} where a list is empty.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): RankTest {
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) throw new RangeError("Cannot rank samples: a list is empty");
  const { ranks, ties } = midRanks([...a, ...b]);
  const rankSum = ranks.slice(0, n).reduce((sum, rank) => sum + rank, 0);
  const u = rankSum - n * (n + 1) / 2;
  if (n < EXACT_SAMPLES && m < EXACT_SAMPLES && ties.every((count) => count === 1)) {
    return { u, p: exactP(u, n, m) };
  }
  const total = n + m;
  const tied = ties.reduce((sum, count) => sum + count ** 3 - count, 0);
  const variance = n * m / 12 * (total + 1 - tied / (total * (total - 1)));
  if (variance === 0) return { u, p: 1 };
  const z = Math.max(0, Math.abs(u - n * m / 2) - 0.5) / Math.sqrt(variance);
  return { u, p: Math.min(1, 2 * upperTail(z)) };
}

/** Ranks from 1, the mean rank for equals, and how many equals there are of each value. */
function midRanks(
  values: readonly number[],
): { readonly ranks: number[]; readonly ties: number[] } {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Array<number>(values.length);
  const ties: number[] = [];
  for (let first = 0; first < order.length;) {
    let end = first + 1;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let i = first; i < end; i++) ranks[order[i]!] = (first + 1 + end) / 2;
    ties.push(end - first);
    first = end;
  }
  return { ranks, ties };
}

/** Two-sided chance from the number of arrangements with each U: of n + m ranks any n are equally likely. */
function exactP(u: number, n: number, m: number): number {
  // ways[k][v]: choices of k of the first ranks with U = v, adding one rank after another.
  let ways = Array.from({ length: n + 1 }, (_, k) => k === 0 ? [1] : []);
  for (let rank = 1; rank <= n + m; rank++) {
    const next = ways.map((list) => [...list]);
    for (let k = 1; k <= Math.min(n, rank); k++) {
      // The k-th chosen one is larger than rank - k that were not chosen.
      const larger = rank - k;
      if (larger > m) continue;
      ways[k - 1]!.forEach((count, v) => {
        next[k]![v + larger] = (next[k]![v + larger] ?? 0) + count;
      });
    }
    ways = next;
  }
  const counts = Array.from(ways[n]!, (count) => count ?? 0);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const tail = Math.min(u, n * m - u);
  const below = counts.slice(0, tail + 1).reduce((sum, count) => sum + count, 0);
  return Math.min(1, 2 * below / all);
}

/** The least two-sided p of n against m samples: that of one arrangement of all. */
export function leastReachableP(n: number, m: number): number {
  let arrangements = 1;
  for (let i = 1; i <= n; i++) arrangements *= (m + i) / i;
  return Math.min(1, 2 / arrangements);
}

/** The chance that a standard normal number is above z >= 0. */
export function upperTail(z: number): number {
  const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    // Integral of the density from 0: z + z^3/3 + z^5/(3*5) + ..., times the density at z.
    let [term, sum] = [z, z];
    for (let k = 3; term > 1e-17 * sum; k += 2) sum += term *= z * z / k;
    return 0.5 - density * sum;
  }
  // Laplace's continued fraction: density / (z + 1 / (z + 2 / (z + 3 / ...))).
  let fraction = z;
  for (let k = 60; k > 0; k--) fraction = z + k / fraction;
  return density / fraction;
}

/**
 * Adjusts p-values of many tests made together: the least false discovery rate at which each would be
 * called, after Benjamini and Hochberg (1995). In the order given.
 */
export function adjustP(values: readonly number[]): readonly number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[j]! - values[i]!);
  const adjusted = new Array<number>(values.length);
  let least = Infinity;
  order.forEach((i, place) => {
    least = Math.min(least, values[i]! * values.length / (values.length - place));
    adjusted[i] = least;
  });
  return adjusted;
}
