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
    batches: new Map([[1, 10], [8, 2]]),
    p2pLatencyUs: 50,
    hostUs: 10,
  };
  // Round trips are 360 and 760 us.
  assertAlmostEquals(steadyStateBoundMs(times, 1), (10 * 360 + 2 * 760) / 1000, 1e-12);
  assertAlmostEquals(steadyStateBoundMs(times, 2), (10 * 200 + 2 * 400) / 1000, 1e-12);
  const far = { ...times, p2pLatencyUs: 150 };
  assertAlmostEquals(steadyStateBoundMs(far, 2), (10 * 230 + 2 * 430) / 1000, 1e-12);
});

Deno.test("simulated time takes the times of the nearest measured batch, of latencies and of the host", async () => {
  const times = {
    byTokens: [new Map([[1, 10], [4, 40], [10, 100]]), new Map([[1, 20], [4, 80], [10, 200]])],
    batches: new Map([[1, 1]]),
    p2pLatencyUs: 5,
    hostUs: 7,
  };
  // A prefill and two decode steps of 30 us, each with 12 us between stages and on the host.
  for (const [prompt, prefillUs] of [[4, 120], [5, 120], [9, 300], [60, 300]] as const) {
    const ms = await simulateMs(simulated({}, [[prompt, 3]]), times);
    assertAlmostEquals(ms, (prefillUs + 2 * 30 + 3 * 12) / 1000, 1e-12, `${prompt} tokens`);
  }
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
