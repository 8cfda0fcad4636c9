import { assertAlmostEquals } from "@std/assert";
import {
  idealBubble,
  type Simulated,
  simulateMs,
  steadyStateBoundMs,
} from "../../planner/pipeline_law.ts";
import { SCHEDULES } from "../../schedules/registry.ts";

/** Requests of one prompt length, that follow each other on one KV cache slot where `maxNumSeqs` is 1. */
function simulated(changes: Partial<Simulated>, sizes: readonly (readonly [number, number])[]) {
  const requests = sizes.map(([prompt, maxTokens], id) => ({
    id,
    promptTokenIds: Array.from({ length: prompt }, (_, i) => i),
    maxTokens,
  }));
  return {
    requests,
    limits: { maxNumBatchedTokens: 64, maxNumSeqs: 1 },
    stages: 2,
    maxConcurrentBatches: 1,
    schedule: SCHEDULES.step,
    ...changes,
  };
}

Deno.test("the steady-state bound is the slowest stage, or the round trip shared by what is in flight", () => {
  const times = {
    byTokens: [new Map([[1, 100], [8, 300]]), new Map([[1, 200], [8, 400]])],
    p2pLatencyUs: 50,
    hostUs: 10,
  };
  const batches = (inFlight: number) => ({ sizes: new Map([[1, 10], [8, 2]]), inFlight });
  // Round trips are 360 and 760 us.
  assertAlmostEquals(steadyStateBoundMs(batches(1), times), (10 * 360 + 2 * 760) / 1000, 1e-12);
  assertAlmostEquals(steadyStateBoundMs(batches(2), times), (10 * 200 + 2 * 400) / 1000, 1e-12);
  const far = { ...times, p2pLatencyUs: 150 };
  assertAlmostEquals(steadyStateBoundMs(batches(2), far), (10 * 230 + 2 * 430) / 1000, 1e-12);
});

Deno.test("simulated time takes times between those of measured batches, of latencies and of the host", async () => {
  const times = {
    byTokens: [new Map([[1, 10], [4, 40], [10, 160]]), new Map([[1, 20], [10, 200], [4, 80]])],
    p2pLatencyUs: 5,
    hostUs: 7,
  };
  // A prefill and two decode steps of 30 us, each with 12 us between stages and on the host.
  const cases = [[4, 40 + 80], [5, 60 + 100], [9, 140 + 180], [2, 20 + 40]] as const;
  for (const [prompt, prefillUs] of cases) {
    const ms = await simulateMs(simulated({}, [[prompt, 3]]), times);
    assertAlmostEquals(ms, (prefillUs + 2 * 30 + 3 * 12) / 1000, 1e-12, `${prompt} tokens`);
  }
});

Deno.test("beyond measured sizes batches cost launches and tokens, a single size what it costs", async () => {
  const prefill = async (prompt: number, byTokens: readonly ReadonlyMap<number, number>[]) =>
    1000 * await simulateMs(simulated({ stages: byTokens.length }, [[prompt, 1]]), {
      byTokens,
      p2pLatencyUs: 0,
      hostUs: 0,
    });
  const line = [new Map([[4, 30], [8, 40], [16, 60]])]; // 20 us and 2.5 us a token
  assertAlmostEquals(await prefill(48, line), 20 + 48 * 2.5, 1e-9);
  assertAlmostEquals(await prefill(2, line), 20 + 2 * 2.5, 1e-9);
  assertAlmostEquals(await prefill(3, [new Map([[8, 40]])]), 40, 1e-9);
  // Larger batches that were measured faster do not make the largest ones free.
  const falling = await prefill(60, [new Map([[8, 40], [16, 20]])]);
  assertAlmostEquals(falling, (1 / 40 + 1 / 20) / (1 / 1600 + 1 / 400), 1e-6);
});

Deno.test("the ideal bubble is 1 - 1/p for step, (p - 1) / (m + p - 1) for a full queue", async () => {
  const step = simulated({ stages: 4 }, [[1, 3]]);
  assertAlmostEquals(await idealBubble([step]), 1 - 1 / 4, 1e-12);
  const full = simulated({
    stages: 4,
    maxConcurrentBatches: 4,
    limits: { maxNumBatchedTokens: 64, maxNumSeqs: 9, maxSeqsPerBatch: 1 },
    schedule: SCHEDULES.step_with_batch_queue,
  }, Array.from({ length: 9 }, () => [1, 1] as const));
  assertAlmostEquals(await idealBubble([full]), 3 / (9 + 3), 1e-12);
});

Deno.test("a replica that is done early idles until the last one is", async () => {
  // 2 of 2 x 6 and 6 of 1 x 6 are busy.
  const replicas = [simulated({}, [[1, 1]]), simulated({ stages: 1 }, [[1, 6]])];
  assertAlmostEquals(await idealBubble(replicas), 1 - 8 / 18, 1e-12);
  assertAlmostEquals(await idealBubble(replicas.toReversed()), 1 - 8 / 18, 1e-12);
});
