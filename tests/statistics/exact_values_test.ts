import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { binomialInterval } from "../../statistics/binomial_interval.ts";
import { adjustP, mannWhitney, upperTail } from "../../statistics/mann_whitney.ts";
import { simulatedHits } from "../../statistics/noise_models.ts";
import { quantile } from "../../statistics/quantile.ts";
import { roundInterval } from "../../statistics/round_interval.ts";
import { roundMedians } from "../../statistics/round_medians.ts";
import { runScatter } from "../../statistics/run_scatter.ts";
import { leastFlipP, signFlipP } from "../../statistics/sign_flips.ts";
import { studentBound, studentP } from "../../statistics/student_t.ts";

/** Values worked out by hand, in closed forms, or by a second program. */

Deno.test("Student's distribution of 1 and 2 degrees is its closed form, to ten digits", () => {
  for (const t of [1e-3, 0.1, 0.7, 1, 2, 12.7, 300]) {
    const [one, two] = [1 - 2 / Math.PI * Math.atan(t), 1 - t / Math.sqrt(2 + t * t)];
    assertAlmostEquals(studentP(t, 1), one, 1e-10);
    assertAlmostEquals(studentP(-t, 2), two, 1e-10);
  }
  // Of 4 degrees: 1 - s (3 - s^2) / 2 with s = t / sqrt(4 + t^2).
  for (const t of [0.2, 1, 3]) {
    const s = t / Math.sqrt(4 + t * t);
    assertAlmostEquals(studentP(t, 4), 1 - s * (3 - s * s) / 2, 1e-10);
  }
  assertEquals([studentP(0, 1), studentP(1e200, 3)], [1, 0]);
  assertAlmostEquals(studentP(1.959963984540054, Infinity), 0.05, 1e-6);
  assertAlmostEquals(studentP(1.959963984540054, 1e9), studentP(1.959963984540054, 1e6), 1e-12);
});

Deno.test("Student's bound is where his distribution has the chance", () => {
  assertAlmostEquals(studentBound(0.5, 1), 1, 1e-9);
  assertAlmostEquals(studentBound(0.05, 1), 12.706204736174698, 1e-9);
  assertAlmostEquals(studentBound(0.9, 1), Math.tan(0.05 * Math.PI), 1e-9);
  assertAlmostEquals(studentBound(0.001, 2), 31.599054576443, 1e-8);
});

Deno.test("an exact interval of a share has closed ends where all, none or half are hits", () => {
  const all = binomialInterval(20, 20);
  assertEquals([all.share, all.high], [1, 1]);
  assertAlmostEquals(all.low, 0.025 ** (1 / 20), 1e-12);
  const none = binomialInterval(0, 20);
  assertEquals([none.share, none.low], [0, 0]);
  assertAlmostEquals(none.high, 1 - 0.025 ** (1 / 20), 1e-12);
  const half = binomialInterval(1, 2);
  assertEquals(half.share, 0.5);
  assertAlmostEquals(half.low, 1 - Math.sqrt(0.975), 1e-12);
  assertAlmostEquals(half.high, Math.sqrt(0.975), 1e-12);
  // P(X >= 2) of 3 is 3 p^2 - 2 p^3.
  const { low } = binomialInterval(2, 3);
  assertAlmostEquals(3 * low ** 2 - 2 * low ** 3, 0.025, 1e-12);
  for (const trials of [0, -1, NaN]) {
    assertThrows(() => binomialInterval(0, trials), RangeError, `from ${trials} trials`);
  }
});

Deno.test("flipped signs are counted out by hand", () => {
  assertEquals(signFlipP([1, 1]), 0.5); // 2 and -2 of 2, 0, 0, -2
  assertEquals(signFlipP([1, -1]), 1);
  assertEquals(signFlipP([3, 1, 1]), 0.25); // 5 and -5 of 8
  assertEquals(signFlipP([3, 1, -1]), 0.75); // at least 3 from 0: all but 1, 1 and -1, -1 and their like
  assertEquals([0, 1, 2, 3].map(leastFlipP), [1, 1, 0.5, 0.25]);
  const ones = Array.from({ length: 16 }, () => 1);
  assertEquals(signFlipP(ones), 2 ** -15);
  assertEquals(signFlipP([...ones, -100]), 2 ** -15); // the seventeenth pair does not count
  assertThrows(() => signFlipP([]), RangeError, "there are no differences");
});

Deno.test("scatter of rows and runs is that of an analysis of variance by hand", () => {
  // Means 2 and 3; runs share -1, -0.5, 1.5 (variance 1.75), rows' own are 0, 0.5, 0.5 (variance 0.5):
  // 1.75 - 0.5 / 2 is shared. Degrees: 2^2 / (0.5^2 / 2 + 1.5^2 / 2).
  assertEquals(runScatter([[1, 2, 3], [2, 2, 5]]), { variance: 2, degrees: 3.2 });
  // Nothing is shared.
  assertEquals(runScatter([[1, 2], [2, 1]]), { variance: 1, degrees: 1 });
  // Nothing moves: the rows' own degrees.
  assertEquals(runScatter([[1, 1, 1], [2, 2, 2], [3, 3, 3]]), { variance: 0, degrees: 4 });
  assertEquals(runScatter([[0, 3]]), { variance: 4.5, degrees: 1 });
  for (const rows of [[], [[]], [[1]], [[1], [2]]]) {
    assertThrows(() => runScatter(rows), RangeError, `${rows.length} rows of`);
  }
});

Deno.test("ranks, ties and their chances by hand", () => {
  assertEquals(mannWhitney([1, 2], [3, 4]), { u: 0, p: 1 / 3 });
  assertEquals(mannWhitney([3, 4], [1, 2]), { u: 4, p: 1 / 3 });
  assertEquals(mannWhitney([1, 4], [2, 3]), { u: 2, p: 1 });
  assertEquals(mannWhitney([5], [5]), { u: 0.5, p: 1 });
  // Of 2 and 3 samples 10 arrangements: U = 1 or less in 2 of them.
  assertEquals(mannWhitney([1, 3], [2, 4, 5]), { u: 1, p: 0.4 });
  // Ties of 2: variance 4 / 12 (5 - 6 / 12) = 1.5; one half is taken off.
  const { u, p } = mannWhitney([1, 2], [2, 3]);
  assertEquals(u, 0.5);
  assertAlmostEquals(p, 2 * upperTail(1 / Math.sqrt(1.5)), 1e-12);
  assertEquals(upperTail(0), 0.5);
  assertAlmostEquals(upperTail(1), 0.15865525393145705, 1e-15);
  assertAlmostEquals(upperTail(3) / 0.0013498980316300946, 1, 1e-12);
  assertAlmostEquals(upperTail(2.9999999), upperTail(3), 1e-9);
  assertEquals(adjustP([0.04, 0.01, 0.02]), [0.04, 0.03, 0.03]);
  assertEquals(adjustP([]), []);
});

Deno.test("quantiles and medians of rounds by hand", () => {
  assertEquals([0, 0.5, 1].map((p) => quantile([1, 3, 9], p)), [1, 3, 9]);
  assertEquals(quantile([1, 3], 0.25), 1.5);
  for (const p of [-0.1, 1.1, NaN]) assertThrows(() => quantile([1], p), RangeError, `"${p}"`);
  assertEquals(roundMedians([9, 1, 2, 3], [7, 7, 3, 3]), [5, 2.5]);
  assertEquals(roundMedians([9, 1, 2], [0, 0]), [9, 1, 2]);
  assertEquals(roundMedians([]), []);
  const ramp = (length: number) => Array.from({ length }, (_, i) => i);
  assertEquals(roundMedians(ramp(16)), ramp(16));
  // 17 neighbours make 16 units: the last one is of two.
  assertEquals(roundMedians(ramp(17)), [...ramp(15), 15.5]);
});

Deno.test("intervals are those of a second program, for rounds that are few and many, still and not", () => {
  const shifts = {
    none: () => 0,
    mixed: (round: number) => (round * 5 % 7) * 3,
    rising: (round: number) => round,
    slow: (round: number) => round / 4,
  };
  // Rounds, samples a round, how rounds differ; lower and upper end, autocorrelation.
  const cases = [
    [1, 5, "none", 100.000000, 117.082039, undefined],
    [2, 20, "none", 100.000000, 119.574275, undefined],
    [3, 1, "none", 100.000000, 112.360680, -0.500000],
    [3, 30, "mixed", 100.000000, 134.837388, -0.454887],
    [4, 12, "rising", 100.000000, 122.148551, 0.000000],
    [5, 8, "mixed", 104.113164, 133.577067, -0.411765],
    [5, 40, "rising", 100.000000, 123.775275, 0.095238],
    [6, 9, "none", 106.201269, 113.249445, -0.833333],
    [6, 9, "mixed", 106.473074, 130.174369, -0.321138],
    [10, 3, "mixed", 114.682820, 123.580293, -0.166667],
    [10, 12, "rising", 101.983739, 127.379873, 0.583333],
    [11, 3, "rising", 109.184284, 120.860290, 0.181818],
    [11, 12, "mixed", 112.734773, 123.013052, -0.256757],
    [13, 7, "rising", 101.082039, 128.546325, 0.700000],
    [25, 2, "none", 106.616578, 112.531973, 0.000000],
    [40, 5, "mixed", 116.247175, 121.590142, -0.296371],
    [40, 5, "slow", 101.888544, 127.636731, 0.664062],
  ] as const;
  for (const [rounds, size, shift, low, high, autocorrelation] of cases) {
    const places = Array.from({ length: rounds * size }, (_, i) => i);
    const roundOf = places.map((i) => Math.floor(i / size));
    const samples = places.map((i) =>
      100 + 20 * (i * 0.6180339887 % 1) + shifts[shift](roundOf[i]!)
    );
    const found = roundInterval(samples, roundOf);
    const about = `${rounds} rounds of ${size}, ${shift}`;
    assertEquals(found.rounds, rounds, about);
    assertAlmostEquals(found.low, low, 1e-5, about);
    assertAlmostEquals(found.high, high, 1e-5, about);
    assertEquals(found.autocorrelation === undefined, autocorrelation === undefined, about);
    assertAlmostEquals(found.autocorrelation ?? 0, autocorrelation ?? 0, 1e-5, about);
  }
});

Deno.test("hits of simulated rows are counted: none of no runs, all of a wide interval", () => {
  const size = { rounds: 2, samplesARound: 5 };
  assertEquals(simulatedHits("independent", { ...size, runs: 0 }), 0);
  // Two rounds bound nothing: the interval is from the least sample to the largest.
  const hits = simulatedHits("independent", { ...size, runs: 50 });
  assert(hits === 50 || hits === 49, `${hits}`);
});
