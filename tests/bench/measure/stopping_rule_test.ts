import { assertEquals } from "@std/assert";
import { StoppingRule, type StopReason } from "../../../bench/measure/timer.ts";

const CRITERIA = { minTimeMs: 10, minSamples: 3, maxNoisePct: 2, timeoutS: 1000 };

/** How many samples of a time are taken, and why no more. */
function stop(
  us: number,
  noise: (sample: number) => number,
  criteria: Partial<typeof CRITERIA> = {},
): readonly [number, StopReason] {
  const rule = new StoppingRule({ ...CRITERIA, ...criteria });
  const times: number[] = [];
  for (;;) {
    times.push(us);
    const reason = rule.next(times, { noise: () => noise(times.length), spentUs: us });
    if (reason !== undefined) return [times.length, reason];
  }
}

Deno.test("measuring stops at the noise target, but neither before min time nor before min samples", () => {
  assertEquals(stop(2500, () => 1), [4, "noise_target"]);
  assertEquals(stop(20_000, () => 1), [3, "noise_target"]);
  assertEquals(stop(2500, (sample) => sample < 8 ? 2.1 * sample : 2), [8, "noise_target"]);
});

Deno.test("a noise that no longer moves ends a measurement, one that does not go on until the limits", () => {
  // The first noise is known at sample 4; five of them, and twice the least samples, are at hand at 8.
  assertEquals(stop(2500, () => 30), [8, "noise_stable"]);
  assertEquals(stop(2500, () => 30, { minSamples: 10 }), [20, "noise_stable"]);
  const moving = (sample: number) => sample % 2 ? 20 : 40;
  assertEquals(stop(2500, moving), [1000, "max_samples"]);
  assertEquals(stop(2500, moving, { timeoutS: 0.1 }), [41, "timeout"]);
});
