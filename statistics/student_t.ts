/** Student's distribution: what a mean is worth whose scatter was estimated from a few values. */

/**
 * The chance that a number of Student's distribution is at least as far from 0 as `t`, on either side;
 * `degrees` of freedom above 0, Infinity for the normal distribution.
 */
export function studentP(t: number, degrees: number): number {
  // Beyond 1e6 degrees the distributions agree to six digits.
  const finite = Math.min(degrees, 1e6);
  return incompleteBeta(finite / (finite + t * t), finite / 2, 0.5);
}

/** The `t` that {@linkcode studentP} gives a chance `p` of, 0 < p < 1. */
export function studentBound(p: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (studentP(high, degrees) > p) high *= 2;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (studentP(middle, degrees) > p) low = middle;
    else high = middle;
  }
  return high;
}

/** The regularised incomplete beta function I_x(a, b), 0 <= x <= 1. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  // The fraction converges fast on this side of the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return Math.exp(front) * fraction(x, a, b) / a;
}

/** Its continued fraction after Lentz (Press et al., Numerical Recipes, section 6.4). */
function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / (1 - (a + b) * x / (a + 1));
  let value = d;
  for (let m = 1; m < 1000; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return value;
}

/** The logarithm of the gamma function of x > 0, by Stirling's series above 10. */
function logGamma(x: number): number {
  let [shifted, product] = [x, 1];
  for (; shifted < 10; shifted++) product *= shifted;
  const series = 1 / (12 * shifted) - 1 / (360 * shifted ** 3) + 1 / (1260 * shifted ** 5);
  const log = (shifted - 0.5) * Math.log(shifted) - shifted + Math.log(2 * Math.PI) / 2 + series;
  return log - Math.log(product);
}
