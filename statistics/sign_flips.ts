/** Whether the differences of pairs have a middle of 0: the exact permutation test of their signs. */

/** Beyond so many pairs the test says no more, and 2^n sums take too long. */
export const MAX_FLIPPED_PAIRS = 16;

/**
 * The chance of a sum at least as far from 0 if every difference had either sign as likely (Fisher 1935):
 * the share of all 2^n choices of signs. Of more than {@linkcode MAX_FLIPPED_PAIRS} the first ones count.
 * @throws {RangeError} for no differences.
 */
export function signFlipP(differences: readonly number[]): number {
  if (differences.length === 0) throw new RangeError("Cannot flip signs: there are no differences");
  const sizes = differences.slice(0, MAX_FLIPPED_PAIRS);
  const sumOf = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0);
  // Sums of the same numbers in another order differ in their last bits.
  const bound = Math.abs(sumOf(sizes)) - 1e-12 * sumOf(sizes.map(Math.abs));
  let sums = [0];
  for (const size of sizes) sums = sums.flatMap((sum) => [sum + size, sum - size]);
  return sums.filter((sum) => Math.abs(sum) >= bound).length / sums.length;
}

/** The least chance that n pairs can reach: all differences have one sign. */
export function leastFlipP(n: number): number {
  return Math.min(1, 2 ** (1 - n));
}
