import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { serve } from "../../runtime/serve.ts";
import { MAX_TIMER_MS, sleep } from "../../runtime/sleep.ts";
import type { SchedulerOutput } from "../../schedules/scheduler.ts";

/** Gives every sampled token at once: its request's number. */
const EXECUTOR = {
  maxConcurrentBatches: 1,
  submit: ({ scheduled }: SchedulerOutput) =>
    Promise.resolve({
      tokenIds: scheduled.filter(({ isSampled }) => isSampled).map(({ requestId }) => requestId),
    }),
};

const LIMITS = { maxNumBatchedTokens: 64, maxNumSeqs: 4 };

Deno.test("latencies count from a request's arrival, not from the start", async () => {
  // One request came a second before serving began, one a minute.
  const requests = [[5, -1000], [6, -60_000]].map(([id, arrivalMs]) => ({
    id: id!,
    promptTokenIds: [1, 2],
    maxTokens: 3,
    arrivalMs: arrivalMs!,
  }));
  const served = await serve([EXECUTOR], requests, { limits: LIMITS });
  assertEquals(served.tokenIds, [[5, 5, 5], [6, 6, 6]]);
  for (const [i, { arrivalMs }] of requests.entries()) {
    const [ttft, e2e] = [served.ttftMs[i]!, served.e2eMs[i]!];
    assert(ttft >= -arrivalMs && ttft <= served.wallMs - arrivalMs, `TTFT ${ttft}`);
    const own = served.itlMs.slice(2 * i, 2 * i + 2);
    assert(own.every((ms) => ms >= 0));
    assertAlmostEquals(e2e, ttft + own[0]! + own[1]!, 1e-6);
    assertAlmostEquals(served.tpotMs[i]!, (e2e - ttft) / 2, 1e-6);
  }
});

Deno.test("a request of one token has no time between tokens", async () => {
  const request = { id: 0, promptTokenIds: [1], maxTokens: 1, arrivalMs: 0 };
  const { ttftMs, e2eMs, tpotMs, itlMs } = await serve([EXECUTOR], [request], { limits: LIMITS });
  assertEquals([tpotMs, itlMs, e2eMs], [[], [], ttftMs]);
});

Deno.test("an interrupt ends the wait for an arrival, and serving between two steps, with its reason", async () => {
  const request = (id: number, arrivalMs: number) => ({
    id,
    promptTokenIds: [1],
    maxTokens: 3,
    arrivalMs,
  });
  const waiting = new AbortController();
  // Next month: no timer is so long.
  const far = serve([EXECUTOR], [request(0, 0), request(1, 2 * MAX_TIMER_MS)], {
    limits: LIMITS,
    signal: waiting.signal,
  });
  const ended = assertRejects(() => far, Error, "waiting");
  waiting.abort(new Error("waiting"));
  await ended;

  const stepping = new AbortController();
  let steps = 0;
  const submit: typeof EXECUTOR.submit = (batch) => {
    if (++steps === 2) stepping.abort(new Error("stepping"));
    return EXECUTOR.submit(batch);
  };
  const executor = { maxConcurrentBatches: 1, submit };
  const options = { limits: LIMITS, signal: stepping.signal };
  await assertRejects(() => serve([executor], [request(0, 0)], options), Error, "stepping");
  assertEquals(steps, 2);
});

Deno.test("a sleep is made of timers that there are, and none where there is nothing to wait for", async () => {
  const { setTimeout } = globalThis;
  const timers: number[] = [];
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    timers.push(ms);
    return setTimeout(run, 0);
  }) as typeof setTimeout;
  try {
    await sleep(2.5 * MAX_TIMER_MS);
    await sleep(0);
    await sleep(-1);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals(timers, [MAX_TIMER_MS, MAX_TIMER_MS, MAX_TIMER_MS / 2]);
});
