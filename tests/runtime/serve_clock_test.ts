import { assertEquals } from "@std/assert";
import { serve, type TimedRequest } from "../../runtime/serve.ts";
import type { Executor } from "../../schedules/engine_core.ts";
import type { RouterPolicy } from "../../schedules/router.ts";
import { SCHEDULES } from "../../schedules/registry.ts";
import type { SchedulerOutput } from "../../schedules/scheduler.ts";

/** Runs with a clock that waiting and batches move: timers take their time at once. */
async function onClock<T>(run: (clock: { ms: number }) => Promise<T>): Promise<T> {
  const { now } = performance;
  const { setTimeout } = globalThis;
  const clock = { ms: 7000 };
  performance.now = () => clock.ms;
  globalThis.setTimeout = ((done: () => void, ms: number) => {
    clock.ms += ms;
    queueMicrotask(done);
    return 0;
  }) as unknown as typeof setTimeout;
  try {
    return await run(clock);
  } finally {
    performance.now = now;
    globalThis.setTimeout = setTimeout;
  }
}

/** Takes 10 ms a batch, and 1 ms a token; gives the number of the request for each sampled one. */
function executor(clock: { ms: number }, batches: string[]): Executor {
  return {
    maxConcurrentBatches: 1,
    submit: ({ scheduled }: SchedulerOutput) => {
      const tokens = scheduled.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
      batches.push(`${clock.ms - 7000}: ${scheduled.map(({ requestId }) => requestId).join(" ")}`);
      clock.ms += 10 + tokens;
      return Promise.resolve({
        tokenIds: scheduled.filter(({ isSampled }) => isSampled).map(({ requestId }) => requestId),
      });
    },
  };
}

function request(id: number, arrivalMs: number, maxTokens: number): TimedRequest {
  return { id, promptTokenIds: [1, 2], maxTokens, arrivalMs };
}

const LIMITS = { maxNumBatchedTokens: 64, maxNumSeqs: 4 };

Deno.test("requests are served when they have come, and every token's time is noted", () =>
  onClock(async (clock) => {
    const batches: string[] = [];
    // Out of order; the last one comes when all others are done.
    const requests = [request(1, 12, 2), request(0, 0, 3), request(2, 100, 1)];
    const served = await serve([executor(clock, batches)], requests, { limits: LIMITS });
    // 12 ms for two tokens; 13 for one and the new prompt of two; 12 for one of each; alone again.
    assertEquals(batches, ["0: 0", "12: 0 1", "25: 0 1", "100: 2"]);
    assertEquals(served.tokenIds, [[1, 1], [0, 0, 0], [2]]);
    assertEquals([served.startMs, served.wallMs], [7000, 112]);
    assertEquals(served.ttftMs, [25 - 12, 12, 12]);
    assertEquals(served.itlMs, [12, 13, 12]);
    assertEquals(served.tpotMs, [12, 12.5]);
    assertEquals(served.e2eMs, [37 - 12, 37, 12]);
    assertEquals(served.batches[0]!.map(({ batch }) => batch.scheduled.length), [1, 2, 2, 1]);
  }));

Deno.test("replicas are given requests by what they have to do at that time, or in turn", () =>
  onClock(async (clock) => {
    const all = async (requests: readonly TimedRequest[], router?: RouterPolicy) => {
      const executors = [[], []].map((batches) => executor(clock, batches));
      const { batches } = await serve(executors, requests, {
        ...{ limits: LIMITS, schedule: SCHEDULES.step },
        ...(router ? { router } : {}),
      });
      return batches.map((own) => [
        ...new Set(own.flatMap(({ batch }) => batch.scheduled.map((one) => one.requestId))),
      ]);
    };
    const burst = [request(0, 0, 9), request(1, 0, 1), request(2, 0, 1), request(3, 0, 1)];
    assertEquals(await all(burst, "round_robin"), [[0, 2], [1, 3]]);
    assertEquals(await all(burst, "least_tokens"), [[0], [1, 2, 3]]);
    // The first one still runs when the third comes, the second one has ended.
    const later = [request(0, 0, 9), request(1, 0, 1), request(2, 40, 1)];
    assertEquals(await all(later), [[0], [1, 2]]);
    assertEquals(await all(later, "round_robin"), [[0, 2], [1]]);
  }));
