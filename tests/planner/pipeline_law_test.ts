import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  idealBubble,
  type Simulated,
  simulateMs,
  type StageTimes,
  steadyStateBoundMs,
} from "../../planner/pipeline_law.ts";
import { SCHEDULES } from "../../schedules/registry.ts";

/** m prompts of one batch each through p stages, at most so many batches in flight. */
function microBatches(m: number, p: number, inFlight: number): Simulated {
  return {
    requests: Array.from(
      { length: m },
      (_, id) => ({ id, promptTokenIds: [1, 2, 3, 4], maxTokens: 1 }),
    ),
    limits: { maxNumBatchedTokens: 4, maxNumSeqs: m },
    stages: p,
    maxConcurrentBatches: inFlight,
    schedule: SCHEDULES[inFlight > 1 ? "step_with_batch_queue" : "step"],
  };
}

const TIMES: StageTimes = {
  byTokens: [new Map([[4, 3000], [1, 500]]), new Map([[4, 5000], [1, 600]])],
  batches: new Map([[4, 10], [1, 20]]),
  p2pLatencyUs: 100,
  hostUs: 900,
};

Deno.test("the pipeline law by hand: the slowest stage or the round trip, whichever takes longer", () => {
  // Round trips are 3000 + 5000 + 100 + 900 = 9000 and 500 + 600 + 1000 = 2100 us.
  assertAlmostEquals(steadyStateBoundMs(TIMES, 1), 10 * 9 + 20 * 2.1, 1e-9);
  // Two in flight: 10 batches each max(5000, 4500), 20 each max(600, 1050).
  assertAlmostEquals(steadyStateBoundMs(TIMES, 2), 10 * 5 + 20 * 1.05, 1e-9);
  assertAlmostEquals(steadyStateBoundMs(TIMES, 9), 10 * 5 + 20 * 0.6, 1e-9);
});

Deno.test("the engine in virtual time takes the stage times of its batches, or of the nearest size", async () => {
  assertAlmostEquals(await simulateMs(microBatches(3, 2, 1), TIMES), 3 * 9, 1e-9);
  // A full queue: the first batch's 900 + 3000 + 100, then the second stage's 5000 three times.
  assertAlmostEquals(await simulateMs(microBatches(3, 2, 3), TIMES), 4 + 3 * 5, 1e-9);
  // 4 tokens are not known: 5 are nearer than 2.
  const others = {
    ...TIMES,
    byTokens: [new Map([[2, 1], [5, 3000]]), new Map([[5, 5000], [2, 1]])],
  };
  assertAlmostEquals(await simulateMs(microBatches(1, 2, 1), others), 9, 1e-9);
});

Deno.test("the ideal bubble is 1 - 1/p step by step, (p - 1) / (m + p - 1) in a full queue", async () => {
  for (const [m, p] of [[16, 2], [4, 4], [1, 3]] as const) {
    assertAlmostEquals(await idealBubble([microBatches(m, p, 1)]), 1 - 1 / p, 1e-12);
    assertAlmostEquals(await idealBubble([microBatches(m, p, p)]), (p - 1) / (m + p - 1), 1e-12);
  }
  assertEquals(await idealBubble([microBatches(5, 1, 1)]), 0);
  // Replicas of 2 and 6 batches: 8 of 2 * 6 stage times.
  const replicas = [microBatches(2, 1, 1), microBatches(6, 1, 1)];
  assertAlmostEquals(await idealBubble(replicas), 1 / 3, 1e-12);
});
