import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { NOISE_MODELS, simulatedHits, simulateSamples } from "../../statistics/noise_models.ts";
import { quantile } from "../../statistics/quantile.ts";
import { roundInterval } from "../../statistics/round_interval.ts";
import { median, summarise, timeChangeText } from "../../statistics/summary.ts";

Deno.test("quantiles are of type 7", () => {
  assertEquals(quantile([1, 2, 3, 4], 0.5), 2.5);
  assertEquals(quantile([1, 2, 3, 4, 5], 0.25), 2);
  assertEquals(quantile([7], 0.9), 7);
  assertThrows(() => quantile([], 0.5), RangeError, "no samples");
  assertThrows(() => quantile([1], 1.1), RangeError, "legal are 0 to 1");
});

Deno.test("the interval of independent samples is that of Woodruff, with Student's quantile", () => {
  // 25 samples 0 to 24, each its own round in an order that evens out: the error is 0.5 / sqrt(25) = 0.1,
  // and 24 degrees of freedom give 2.0639 (Abramowitz and Stegun, table 26.10).
  const order = Array.from({ length: 25 }, (_, i) => i * 7 % 25);
  const { low, high, rounds, autocorrelation } = roundInterval(order, [...order.keys()]);
  assertEquals(rounds, 25);
  assertAlmostEquals(12 - low, high - 12, 1e-9);
  assertAlmostEquals(low, 24 * (0.5 - 0.20639), 1e-3);
  assert(autocorrelation! < 0, `${autocorrelation}`);
});

Deno.test("an interval by hand: two rounds that differ, with one degree of freedom, are the extremes", () => {
  const { low, high } = roundInterval([1, 2, 3, 4], [0, 0, 1, 1]);
  assertEquals([low, high], [1, 4]);
});

Deno.test("intervals are those that the same formulas give outside of this program", () => {
  const cases = [
    { of: [8, 5], time: (_: number, r: number) => r * 5 % 7, expected: [109.2115, 118, 0] },
    { of: [20, 4], time: (_: number, r: number) => r * 5 % 7, expected: [112, 116, -0.6829268] },
    {
      of: [24, 4],
      time: (_: number, r: number) => r % 12 > 7 ? 20 : 0,
      expected: [101.2, 140.5, 0.5961538],
    },
    {
      of: [8, 9],
      time: (i: number, r: number) => (i % 9 === 4 ? 9000 : 0) + (r * 5 % 7) * 6,
      expected: [113, 148.3398, -0.2410714],
    },
  ] as const;
  for (const { of: [rounds, size], time, expected } of cases) {
    const places = [...Array(rounds * size).keys()];
    const roundOf = places.map((i) => Math.floor(i / size));
    const samples = places.map((i) => 100 + i * 37 % 23 + time(i, roundOf[i]!));
    const found = roundInterval(samples, roundOf);
    assertEquals(found.rounds, rounds);
    assertAlmostEquals(found.low, expected[0], 1e-3);
    assertAlmostEquals(found.high, expected[1], 1e-3);
    assertAlmostEquals(found.autocorrelation!, expected[2], 1e-6);
  }
});

Deno.test("rounds that agree within themselves and differ from each other widen the interval", () => {
  const { samples, rounds } = simulateSamples("turns share 3 %", {
    rounds: 30,
    samplesARound: 20,
    seed: 1,
  });
  const byRound = summarise(samples, rounds);
  const single = summarise([...samples].sort((a, b) => a * 7919 % 1 - b * 7919 % 1));
  assert(byRound.noisePct > 2 * single.noisePct, `${byRound.noisePct} and ${single.noisePct}`);
  assertEquals([byRound.rounds, single.rounds], [30, 600]);
});

Deno.test("the 95 % interval holds the median in at least 90 % of simulated rows, whatever the noise", () => {
  for (const model of Object.keys(NOISE_MODELS)) {
    for (const [rounds, samplesARound] of [[10, 5], [20, 5], [100, 1]] as const) {
      const hits = simulatedHits(model, { rounds, samplesARound, runs: 300 });
      assert(hits >= 270, `${model}, ${rounds} x ${samplesARound}: ${hits} of 300`);
    }
  }
});

Deno.test("it is no wider than it must be: independent samples of a normal distribution", () => {
  const widths = Array.from({ length: 50 }, (_, seed) => {
    const size = { rounds: 20, samplesARound: 5, seed };
    const { samples, rounds } = simulateSamples("independent", size);
    return summarise(samples, rounds).noisePct;
  });
  // 1.96 * 1.2533 * 3 % / sqrt(100) is 0.74 %.
  assert(quantile(widths.sort((a, b) => a - b), 0.5) < 2 * 0.74, `${widths}`);
});

Deno.test("a machine that drifts is seen in the autocorrelation of rounds", () => {
  const drift = Array.from({ length: 60 }, (_, i) => 100 + i / 10 + i * 7 % 5);
  const rounds = drift.map((_, i) => Math.floor(i / 3));
  assert(summarise(drift, rounds).autocorrelation! > 0.5);
  const still = simulateSamples("independent", { rounds: 20, samplesARound: 3, seed: 2 });
  assert(summarise(still.samples, still.rounds).autocorrelation! < 0.5);
});

Deno.test("one round, equal samples and none: bounds that say so", () => {
  const one = summarise([3, 1, 2], [0, 0, 0]);
  assertEquals([one.ciLow, one.ciHigh, one.noisePct, one.rounds], [1, 3, Infinity, 1]);
  assertEquals(one.autocorrelation, undefined);
  const equal = summarise([5, 5, 5, 5]);
  assertEquals([equal.ciLow, equal.ciHigh, equal.noisePct], [5, 5, 0]);
  assertEquals(equal.autocorrelation, undefined);
  assertThrows(() => summarise([]), RangeError);
  assertThrows(() => summarise([1, NaN]), RangeError, "NaN");
  assertThrows(() => summarise([1, 2], [0]), RangeError, "1 rounds");
  assertThrows(() => simulateSamples("?", { rounds: 1, samplesARound: 1, seed: 0 }), RangeError);
});

Deno.test("a summary by hand", () => {
  const { n, min, median: middle, mean, p90, p95, p99, stdev, cv } = summarise([4, 2, 8, 6, 0]);
  assertEquals([n, min, middle, mean, p99], [5, 0, 4, 4, undefined]);
  assertAlmostEquals(p90, 7.2, 1e-12); // 0.6 of the way from 6 to 8
  assertAlmostEquals(p95, 7.6, 1e-12);
  assertAlmostEquals(stdev!, Math.sqrt(10), 1e-12); // (16 + 4 + 0 + 4 + 16) / 4
  assertAlmostEquals(cv!, Math.sqrt(10) / 4, 1e-12);
  assertEquals([median([3, 1, 2]), median([4, 1])], [2, 2.5]);
});

Deno.test("what too few samples, or a mean or median of 0, do not say is left out", () => {
  const ramp = (n: number) => Array.from({ length: n }, (_, i) => i);
  assertEquals(summarise(ramp(99)).p99, undefined);
  assertAlmostEquals(summarise(ramp(100)).p99!, 98.01, 1e-9);
  const one = summarise([3]);
  assertEquals([one.stdev, one.cv, one.noisePct], [undefined, undefined, Infinity]);
  assertAlmostEquals(summarise([1, 3]).stdev!, Math.SQRT2, 1e-12);
  assertEquals(summarise([0, 0, 0]).noisePct, 0);
  const centred = summarise([-2, -1, 0, 1, 2]);
  assertEquals([centred.cv, centred.noisePct], [undefined, Infinity]);
  // Two rounds bound nothing: 1 to 4 are half a width of 1.5, 60 % of 2.5.
  assertAlmostEquals(summarise([1, 2, 3, 4], [0, 0, 1, 1]).noisePct, 60, 1e-9);
  assertAlmostEquals(summarise([-1, -2, -3, -4], [0, 0, 1, 1]).noisePct, 60, 1e-9);
});

Deno.test("a change of a time is said in words", () => {
  assertEquals(timeChangeText(12.34, 1), "12.3 % more time");
  assertEquals(timeChangeText(-3, 0), "3 % less time");
});

Deno.test("noise models scatter as they say, about the median that they say", () => {
  const size = { rounds: 4000, samplesARound: 5, seed: 3 };
  const spread: Readonly<Record<string, readonly [stdev: number, correlation: number]>> = {
    "independent": [3, 0],
    "AR(0.5)": [3, 0.5],
    "AR(0.9)": [3, 0.9],
    "turns share 3 %": [Math.sqrt(10), 0.72], // 9 of 10 shared by 4 of 5 neighbours
    // The states are 0.3 and 0.7 of the rounds: variance 0.21 * 20^2 + 1, shared by 4 of 5 neighbours.
    "two clock states": [Math.sqrt(85), 0.8 * 84 / 85],
  };
  for (const model of Object.keys(NOISE_MODELS)) {
    const { samples, rounds, trueMedian } = simulateSamples(model, size);
    assertEquals([samples.length, rounds[4], rounds[5]], [20_000, 0, 1]);
    const { low, high } = roundInterval(samples, rounds);
    assert(low - 0.1 < trueMedian && trueMedian < high + 0.1, `${model}: ${low} to ${high}`);
    if (!spread[model]) continue; // a heavy tail has no standard deviation
    const { stdev, mean } = summarise(samples);
    const lagged = samples.slice(1).reduce(
      (sum, x, i) => sum + (x - mean) * (samples[i]! - mean),
      0,
    );
    assertAlmostEquals(stdev! / spread[model][0], 1, 0.05, model);
    assertAlmostEquals(lagged / samples.length / stdev! ** 2, spread[model][1], 0.04, model);
  }
  const [half, most] = [0.5, 0.9].map((p) =>
    quantile([...simulateSamples("heavy tail", size).samples].sort((a, b) => a - b), p)
  );
  // 100 (1 + 0.02 ((1 - p)^(-2/3) - 1))
  assertAlmostEquals(half!, 101.175, 0.05);
  assertAlmostEquals(most!, 107.283, 0.3);
});
