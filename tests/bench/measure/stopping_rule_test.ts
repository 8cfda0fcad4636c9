import { assert, assertEquals } from "@std/assert";
import {
  isStable,
  type StopCriteria,
  StoppingRule,
  type StopReason,
} from "../../../bench/measure/stopping_rule.ts";
import { generator } from "../../../statistics/counter_generator.ts";
import { summarise } from "../../../statistics/summary.ts";

const CRITERIA = { minTimeMs: 10, minSamples: 3, maxNoisePct: 2, timeoutS: 1000 };

/** How many turns are taken, why no more, and the noise of the row that they make. */
function stop(
  turn: (turn: number) => readonly number[],
  criteria: Partial<StopCriteria> = {},
): { readonly turns: number; readonly reason: StopReason; readonly noisePct: number } {
  const rule = new StoppingRule({ ...CRITERIA, ...criteria });
  const times: number[] = [];
  for (let turns = 1;; turns++) {
    const own = turn(turns);
    times.push(...own);
    const reason = rule.endTurn(own, own.reduce((sum, us) => sum + us, 0));
    if (reason !== undefined) {
      return { turns, reason, noisePct: summarise(times, rule.rounds).noisePct };
    }
  }
}

Deno.test("measuring stops at the noise target, but not before min time, min samples and ten rounds", () => {
  const quiet = (us: number, samples = 1) => () => Array<number>(samples).fill(us);
  const turns = (turn: () => readonly number[], criteria?: Partial<StopCriteria>) =>
    stop(turn, criteria).turns;
  assertEquals(turns(quiet(2500)), 4); // 10 ms; so few samples are wanted that three rounds do
  assertEquals(turns(quiet(20_000)), 3);
  assertEquals(turns(quiet(20_000), { minSamples: 10 }), 10);
  assertEquals(turns(quiet(20_000, 5), { minSamples: 40 }), 10);
  assertEquals(turns(quiet(20_000, 5), { minSamples: 5 }), 5);
});

Deno.test("the reason refers to the interval that the row publishes", () => {
  const random = generator("stopping", 1);
  const noisy = () => [2500 * (1 + 0.2 * random()), 2500 * (1 + 0.2 * random())];
  const { reason, noisePct } = stop(noisy, { minSamples: 10, maxNoisePct: 6 });
  assertEquals(reason, "noise_target");
  assert(noisePct <= 6, `${noisePct}`);
  // Samples of a turn agree to 0.1 %, turns differ by 30 %: no number of samples a turn makes that quiet.
  const moody = (turn: number) =>
    Array.from({ length: 40 }, (_, i) => 2500 * (turn % 2 ? 1.3 : 1) + i);
  const moods = stop(moody, { minSamples: 10 });
  assert(moods.reason !== "noise_target" && moods.noisePct > 5, JSON.stringify(moods));
});

Deno.test("a noise that no longer moves ends a measurement, one that does not goes on until the limits", () => {
  const random = generator("stopping", 2);
  const noisy = () => [2500 * (1 + random())];
  const still = stop(noisy, { minSamples: 10 });
  assertEquals(still.reason, "noise_stable");
  assert(still.turns >= 20 && still.noisePct > 2, JSON.stringify(still));
  const growing = (turn: number) => [1000 * 1.1 ** turn];
  assertEquals(stop(growing, { minSamples: 10, timeoutS: 0.1 }).reason, "timeout");
  assertEquals(stop(() => Array<number>(500).fill(1), { minTimeMs: 1e6 }), {
    turns: 2,
    reason: "max_samples",
    noisePct: 0,
  });
});

Deno.test("a turn without a time is no round, but its time counts", () => {
  const rule = new StoppingRule({ ...CRITERIA, timeoutS: 1 });
  assertEquals(rule.endTurn([], 1e5), undefined);
  assertEquals(rule.endTurn([1], 1e5), undefined);
  assertEquals(rule.rounds, [0]);
  assertEquals(rule.endTurn([], 1e6), "timeout");
});

Deno.test("a turn takes a tenth of what the whole takes at least, in whole samples, and of 1000 samples", () => {
  const criteria = { minTimeMs: 50, minSamples: 25, maxNoisePct: 2, timeoutS: 9 };
  assertEquals(StoppingRule.turn(criteria), { minTimeMs: 5, minSamples: 3, maxSamples: 100 });
});

Deno.test("a noise is stable where each of the last five is within 10 % of their middle", () => {
  const all: readonly (readonly number[])[] = [
    [10, 10, 10, 10],
    [11, 9, 10, 10, 10],
    [11.01, 9, 10, 10, 10],
    [11, 8.99, 10, 10, 10],
    [50, 11, 9, 10, 10, 10],
    [10, 10, 10, 10, 50],
  ];
  assertEquals(all.map(isStable), [false, true, false, false, true, false]);
});

Deno.test("limits of time are met exactly: min time is reached, a timeout is passed", () => {
  const twice = (us: number) => {
    const rule = new StoppingRule({ ...CRITERIA, minSamples: 2 });
    rule.endTurn([us], 0);
    return rule.endTurn([us], 0);
  };
  assertEquals([twice(4999.75), twice(5000)], [undefined, "noise_target"]);
  const rule = new StoppingRule({ ...CRITERIA, timeoutS: 1 });
  assertEquals([rule.endTurn([], 1e6), rule.endTurn([], 1)], [undefined, "timeout"]);
  const most = new StoppingRule({ ...CRITERIA, minTimeMs: 1e6 });
  assertEquals(most.endTurn(Array<number>(999).fill(1), 0), undefined);
  assertEquals(most.endTurn([1], 0), "max_samples");
});

Deno.test("a noise at its target ends a measurement, one above it does not", () => {
  const noise = summarise([98, 102, 100]).noisePct;
  const rule = (maxNoisePct: number) => {
    const one = new StoppingRule({ ...CRITERIA, minTimeMs: 0, maxNoisePct });
    one.endTurn([98], 0);
    one.endTurn([102], 0);
    return one.endTurn([100], 0);
  };
  assertEquals([rule(noise), rule(noise * 0.999)], ["noise_target", undefined]);
});
