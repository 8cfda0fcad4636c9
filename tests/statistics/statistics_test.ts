import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ratioInterval } from "../../statistics/bootstrap.ts";
import { generator } from "../../statistics/counter_generator.ts";
import { adjustP, leastReachableP, mannWhitney, upperTail } from "../../statistics/mann_whitney.ts";

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

Deno.test("the bootstrap's interval holds the ratio, narrows with samples, and inverts when sides are exchanged", () => {
  const random = generator("noise", 7);
  const list = (n: number, center: number) =>
    Array.from({ length: n }, () => center * (1 + 0.1 * (random() - 0.5)));
  const side = (samples: readonly number[], seed: string) => ({ samples, seed });
  const [a, b] = [side(list(40, 100), "a"), side(list(40, 110), "b")];
  const [low, high] = ratioInterval(a, b);
  assert(low < 1.1 && high > 1.1 && low > 1.05 && high < 1.15, `${low} ${high}`);
  const [inverse, other] = ratioInterval(b, a);
  assertAlmostEquals(inverse * high, 1, 1e-12);
  assertAlmostEquals(other * low, 1, 1e-12);
  const [fine, finer] = ratioInterval(side(list(800, 100), "c"), side(list(800, 110), "d"));
  assert(finer - fine < (high - low) / 2);
  assertEquals([...ratioInterval(a, a)], [1, 1]);
});

Deno.test("the bootstrap draws with replacement, and takes the middle of what it drew", () => {
  // Of two samples each median is 1, 2 or 3, with a chance of 1/4, 1/2 and 1/4; of three none is between.
  const [low, high] = ratioInterval({ samples: [1], seed: "a" }, { samples: [3, 1], seed: "b" });
  assertAlmostEquals(low, 1, 1e-12);
  assertAlmostEquals(high, 3, 1e-12);
  const odd = ratioInterval({ samples: [1], seed: "a" }, { samples: [5, 1, 2, 2, 2], seed: "b" });
  for (const end of odd) assert([1, 2, 5].some((value) => Math.abs(end - value) < 1e-9), `${odd}`);
});

Deno.test("the bootstrap's interval misses the truth in about one of twenty tries", () => {
  const random = generator("noise", 99);
  let misses = 0;
  const tries = 200;
  for (let i = 0; i < tries; i++) {
    const list = () => Array.from({ length: 25 }, () => 100 + 20 * random());
    const [low, high] = ratioInterval(
      { samples: list(), seed: `a${i}` },
      { samples: list(), seed: `b${i}` },
    );
    if (low > 1 || high < 1) misses++;
  }
  assert(misses <= tries * 0.1, `${misses} of ${tries}`);
});
