import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { binomialInterval } from "../../statistics/binomial_interval.ts";
import { generator } from "../../statistics/counter_generator.ts";
import { adjustP, leastReachableP, mannWhitney, upperTail } from "../../statistics/mann_whitney.ts";
import { roundMedians } from "../../statistics/round_medians.ts";
import { runScatter } from "../../statistics/run_scatter.ts";
import { leastFlipP, signFlipP } from "../../statistics/sign_flips.ts";
import { studentBound, studentP } from "../../statistics/student_t.ts";

Deno.test("the tail of the normal distribution is that of published tables", () => {
  // Abramowitz and Stegun, Handbook of Mathematical Functions, tables 26.1 and 26.2.
  for (
    const [z, q] of [
      [0, 0.5],
      [1, 0.1586552539],
      [1.96, 0.0249978952],
      [2.9, 0.0018658133],
      [3.1, 0.0009676032],
      [5, 2.866515719e-7],
      [10, 7.619853024e-24],
    ] as const
  ) assertAlmostEquals(upperTail(z) / q, 1, 1e-7, `z = ${z}`);
});

Deno.test("Mann and Whitney's test agrees with published worked examples", () => {
  // Hollander and Wolfe (1973), p. 69f, permeability of the human chorioamnion, in R's help of
  // wilcox.test: W = 35, one-sided exact p = 0.1272.
  const term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const early = [1.15, 0.88, 0.90, 0.74, 1.21];
  const exact = mannWhitney(term, early);
  assertEquals(exact.u, 35);
  assertAlmostEquals(exact.p / 2, 0.1272, 5e-5);
  // Mann and Whitney (1947), table of P(U <= u) for n = m = 4: u = 0 .014, u = 1 .029, u = 3 .100.
  const four = (u: number) => {
    if (u === 0) return mannWhitney([1, 2, 3, 4], [5, 6, 7, 8]);
    if (u === 1) return mannWhitney([1, 2, 3, 5], [4, 6, 7, 8]);
    return mannWhitney([1, 2, 3, 7], [4, 5, 6, 8]);
  };
  for (const [u, p] of [[0, 0.014], [1, 0.029], [3, 0.100]] as const) {
    assertEquals(four(u).u, u);
    assertAlmostEquals(four(u).p / 2, p, 5e-4);
  }
});

Deno.test("ties and large samples take the corrected normal approximation", () => {
  // By hand: ranks of 1 2 2 3 3 3 are 1 2.5 2.5 5 5 5; variance 9/12 * (7 - (6 + 24) / 30) = 4.5.
  const { u, p } = mannWhitney([1, 2, 3], [2, 3, 3]);
  assertEquals(u, 1 + 2.5 + 5 - 6);
  assertAlmostEquals(p, 2 * upperTail((4.5 - 2.5 - 0.5) / Math.sqrt(4.5)), 1e-12);
  assertEquals(mannWhitney([5, 5], [5, 5, 5]).p, 1);
  const long = Array.from({ length: 60 }, (_, i) => i);
  const close = mannWhitney(long, long.map((x) => x + 0.5));
  assert(close.p > 0.7 && close.p < 1, String(close.p));
});

Deno.test("the least p that so few samples can reach is that of one arrangement of all, on either side", () => {
  // 2 / C(n + m, n), the binomial coefficients by hand.
  for (
    const [n, m, arrangements] of [
      [1, 2, 3],
      [2, 5, 21],
      [3, 3, 20],
      [4, 4, 70],
      [5, 5, 252],
      [6, 6, 924],
    ] as const
  ) {
    assertAlmostEquals(leastReachableP(n, m), 2 / arrangements, 1e-12, `${n} against ${m}`);
    const below = Array.from({ length: n }, (_, i) => i - n);
    const above = Array.from({ length: m }, (_, i) => i);
    assertAlmostEquals(leastReachableP(n, m), mannWhitney(below, above).p, 1e-12);
  }
  assertEquals(leastReachableP(1, 1), 1);
});

Deno.test("the distribution is counted out below 50 samples a side, and approximated from there on", () => {
  const counts = (n: number) => {
    const a = Array.from({ length: n }, (_, i) => i);
    return mannWhitney(a, a.map((x) => x + 0.5));
  };
  const approximated = (n: number) => {
    const z = (n / 2 - 0.5) / Math.sqrt(n * n * (2 * n + 1) / 12);
    return 2 * upperTail(z);
  };
  assertAlmostEquals(counts(50).p, approximated(50), 1e-12);
  assert(Math.abs(counts(49).p - approximated(49)) > 1e-6);
  assertEquals(counts(50).u, 50 * 49 / 2);
});

Deno.test("no samples have no ranks", () => {
  assertThrows(() => mannWhitney([], [1]), RangeError, "empty");
  assertThrows(() => mannWhitney([1], []), RangeError, "empty");
});

Deno.test("p-values are adjusted as in the example of Benjamini and Hochberg", () => {
  // Benjamini and Hochberg (1995), section 3.2: 15 p-values of a study of myocardial infarction; at a
  // false discovery rate of 0.05 the four smallest are significant.
  const values = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1,
  ];
  const adjusted = adjustP(values);
  assertEquals(adjusted.filter((p) => p <= 0.05).length, 4);
  assertAlmostEquals(adjusted[3]!, 0.0095 * 15 / 4, 1e-12);
  assertAlmostEquals(adjusted[4]!, 0.0201 * 15 / 5, 1e-12);
  const shuffledBack = adjustP([...values].reverse());
  assertEquals([...shuffledBack].reverse(), [...adjusted]);
});

Deno.test("Student's distribution is that of published tables", () => {
  // Fisher and Yates, Statistical Tables, table III: two-sided points of t.
  for (
    const [degrees, p, t] of [
      [1, 0.05, 12.706],
      [4, 0.05, 2.776],
      [10, 0.01, 3.169],
      [30, 0.001, 3.646],
      [Infinity, 0.05, 1.95996],
    ] as const
  ) {
    assertAlmostEquals(studentP(t, degrees) / p, 1, 1e-3, `${degrees}`);
    assertAlmostEquals(studentBound(p, degrees) / t, 1, 1e-3, `${degrees}`);
  }
  assertEquals(studentP(0, 3), 1);
  assertAlmostEquals(studentP(-2.776445, 4), 0.05, 1e-6);
});

Deno.test("the interval of a share is Clopper and Pearson's", () => {
  const { low, high } = binomialInterval(8, 10); // R: binom.test(8, 10)$conf.int
  assertAlmostEquals(low, 0.4439045, 1e-6);
  assertAlmostEquals(high, 0.9747893, 1e-6);
  // 1 - 0.025^(1/20), worked out by hand
  assertAlmostEquals(binomialInterval(0, 20).high, 0.1684335, 1e-6);
  assertEquals(binomialInterval(20, 20).high, 1);
});

Deno.test("signs of pairs are flipped in every way: Darwin's maize", () => {
  // Fisher, The Design of Experiments (1935), section 21: 15 pairs of plants, in eighths of an inch; of
  // 32768 choices of signs 1726 have a sum at least as far from 0.
  const maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
  assertAlmostEquals(signFlipP(maize), 1726 / 32768, 1e-12);
  assertAlmostEquals(signFlipP(maize.map((value) => -0.1 * value)), 1726 / 32768, 1e-12);
  assertEquals([leastFlipP(7) > 0.01, leastFlipP(8) <= 0.01], [true, true]);
  assertEquals(signFlipP([1, 2, 3, 4, 5, 6, 7, 8]), leastFlipP(8));
});

Deno.test("rows that move together are evidence of their runs alone", () => {
  const random = generator("runs", 3);
  const normal = () => random() + random() + random() + random() - 2; // variance 1/3
  const table = (own: number, shared: number) => {
    const common = Array.from({ length: 6 }, () => shared * normal());
    return Array.from({ length: 200 }, (_, i) => common.map((off) => i + off + own * normal()));
  };
  const apart = runScatter(table(1, 0));
  assertAlmostEquals(apart.variance, 1 / 3, 0.04);
  assert(apart.degrees > 500, `${apart.degrees}`);
  const together = runScatter(table(0.01, 1));
  assert(together.degrees < 5.5, `${together.degrees}`);
  assertEquals(runScatter([[1, 2, 3]]), { variance: 1, degrees: 2 });
});

Deno.test("samples of a round become one number, long lists medians of neighbours", () => {
  assertEquals(roundMedians([1, 2, 9, 5, 5], [0, 0, 0, 1, 1]), [2, 5]);
  assertEquals(roundMedians([4, 1], undefined), [4, 1]);
  const long = roundMedians(Array.from({ length: 200 }, (_, i) => i));
  assertEquals([long.length, long[0], long.at(-1)], [16, 5.5, 193]);
});
