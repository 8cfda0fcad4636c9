import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineCore } from "../../schedules/engine_core.ts";
import { SCHEDULES } from "../../schedules/registry.ts";
import { Scheduler, type SchedulerOutput } from "../../schedules/scheduler.ts";

/** What a batch holds, as `r0:10 r1:8`. */
function text({ scheduled }: SchedulerOutput): string {
  return scheduled.map((part) => `r${part.requestId}:${part.tokenIds.length}`).join(" ");
}

/** An executor that gives every sample the sum of what its request has computed so far. */
function recording(maxConcurrentBatches: number, submitted: string[]) {
  return {
    maxConcurrentBatches,
    submit: (batch: SchedulerOutput) => {
      submitted.push(text(batch));
      const tokenIds = batch.scheduled.filter((p) => p.isSampled).map((p) =>
        p.start + p.tokenIds.length
      );
      return Promise.resolve({ tokenIds });
    },
  };
}

function scheduler(
  limits: { budget: number; seqs: number },
  requests: readonly (readonly [number, number])[],
) {
  const made = new Scheduler({ maxNumBatchedTokens: limits.budget, maxNumSeqs: limits.seqs });
  requests.forEach(([prompt, maxTokens], id) =>
    made.add({ id, promptTokenIds: Array.from({ length: prompt }, (_, i) => i), maxTokens })
  );
  return made;
}

Deno.test("step_with_batch_queue of depth 2 schedules and drains as vLLM's, call by call", async () => {
  const submitted: string[] = [];
  const engine = new EngineCore(
    scheduler({ budget: 10, seqs: 4 }, [[12, 5], [12, 5]]),
    recording(2, submitted),
  );
  const drained: string[] = [];
  while (engine.isBusy) {
    const out = await engine.step();
    drained.push(out ? `${text(out.batch)}>${out.newTokens.map((t) => `r${t.requestId}`)}` : "-");
  }
  assertEquals(submitted, [
    "r0:10",
    "r0:2 r1:8",
    "r1:4",
    "r0:1",
    "r1:1",
    "r0:1",
    "r1:1",
    "r0:1",
    "r1:1",
    "r0:1",
    "r1:1",
    "",
  ]);
  assertEquals(drained, [
    "-",
    "r0:10>",
    "r0:2 r1:8>r0",
    "r1:4>r1",
    "r0:1>r0",
    "r1:1>r1",
    "r0:1>r0",
    "r1:1>r1",
    "r0:1>r0",
    "r1:1>r1",
    "r0:1>r0",
    "r1:1>r1",
    ">",
  ]);
});

Deno.test("step waits for every batch and decodes all running requests together", async () => {
  const submitted: string[] = [];
  const engine = new EngineCore(
    scheduler({ budget: 10, seqs: 2 }, [[4, 3], [5, 2], [3, 2]]),
    recording(1, submitted),
  );
  while (engine.isBusy) assert(await engine.step() !== undefined, "it did not wait");
  assertEquals(submitted, ["r0:4 r1:5", "r0:1 r1:1", "r0:1 r2:3", "r2:1"]);
});

Deno.test("step has one batch in flight whatever is configured, step_with_batch_queue as many", () => {
  assertEquals(SCHEDULES.step.depths([1, 2, 4]), [1]);
  assertEquals(SCHEDULES.step_with_batch_queue.depths([1, 2, 4]), [1, 2, 4]);
});

Deno.test("a batch names the tokens, places and slots of its requests, and samples the last of a prompt", () => {
  const made = scheduler({ budget: 3, seqs: 2 }, [[4, 2], [2, 1], [1, 1]]);
  const parts = () =>
    made.schedule().scheduled.map(({ requestId, slot, start, tokenIds, isSampled }) =>
      [requestId, slot, start, tokenIds.join(), isSampled] as const
    );
  assertEquals(parts(), [[0, 0, 0, "0,1,2", false]]);
  const second = made.schedule();
  assertEquals(second.scheduled.map(({ slot, start }) => [slot, start]), [[0, 3], [1, 0]]);
  assertEquals(made.updateFromOutput(second, [70, 80]), [
    { requestId: 0, tokenId: 70, isLast: false },
    { requestId: 1, tokenId: 80, isLast: true },
  ]);
  assertEquals(parts(), [[0, 0, 4, "70", true], [2, 1, 0, "0", true]]);
});

Deno.test("no schedule exceeds the budget or the sequences, and no slot is shared", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const requests = Array.from(
      { length: 9 },
      (_, i) => [1 + (i * 7 + seed * 3) % 13, 1 + (i * 5 + seed) % 6] as const,
    );
    const made = scheduler({ budget: 7, seqs: 3 }, requests);
    let tokens = 0;
    while (made.hasRequests) {
      const batch = made.schedule();
      const count = batch.scheduled.reduce((sum, part) => sum + part.tokenIds.length, 0);
      assertEquals(count >= 1 && count <= 7, true);
      const slots = batch.scheduled.map((part) => part.slot);
      assertEquals([new Set(slots).size, slots.length <= 3], [slots.length, true]);
      tokens += made.updateFromOutput(
        batch,
        batch.scheduled.filter((p) => p.isSampled).map(() => 1),
      ).length;
    }
    assertEquals(tokens, requests.reduce((sum, [, out]) => sum + out, 0));
  }
});

Deno.test("impossible limits and requests are refused", () => {
  assertThrows(
    () => new Scheduler({ maxNumBatchedTokens: 0, maxNumSeqs: 1 }),
    RangeError,
    "maxNumBatchedTokens",
  );
  const made = new Scheduler({ maxNumBatchedTokens: 1, maxNumSeqs: 1 });
  for (const [promptTokenIds, maxTokens] of [[[], 1], [[1], 0]] as const) {
    assertThrows(() => made.add({ id: 0, promptTokenIds, maxTokens }), RangeError, "request 0");
  }
  assertEquals(made.hasRequests, false);
  made.add({ id: 1, promptTokenIds: [1], maxTokens: 1 });
  assertThrows(() => made.updateFromOutput(made.schedule(), []), RangeError, "0 tokens for 1");
});
