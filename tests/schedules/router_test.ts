import { assertEquals } from "@std/assert";
import { Router } from "../../schedules/router.ts";
import { Scheduler } from "../../schedules/scheduler.ts";

Deno.test("a burst of 8 requests spreads evenly over 4 idle replicas", () => {
  for (const policy of ["least_loaded", "round_robin", "least_tokens"] as const) {
    const router = new Router(policy, 4);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 8; i++) counts[router.route(10)]!++;
    assertEquals(counts, [2, 2, 2, 2], policy);
  }
});

Deno.test("replicas are idle until they say otherwise", () => {
  for (const policy of ["least_loaded", "least_tokens"] as const) {
    const router = new Router(policy, 3);
    for (const replica of [1, 2]) router.update(replica, { waiting: 0, running: 0, tokens: 0 });
    assertEquals([router.route(1), router.route(1), router.route(1)], [0, 1, 2], policy);
  }
});

Deno.test("a waiting request weighs as much as four that run", () => {
  const route = (loads: readonly (readonly [number, number])[]) => {
    const router = new Router("least_loaded", loads.length);
    loads.forEach(([waiting, running], i) => router.update(i, { waiting, running, tokens: 0 }));
    return router.route(1);
  };
  assertEquals(route([[2, 1], [0, 0], [1, 0]]), 1);
  assertEquals(route([[1, 0], [0, 3], [0, 5]]), 1);
  assertEquals(route([[1, 0], [0, 4]]), 0);
});

Deno.test("least_tokens looks at tokens only, round_robin at nothing", () => {
  const loads = [{ waiting: 0, running: 1, tokens: 500 }, { waiting: 9, running: 9, tokens: 90 }];
  const first = (policy: "least_tokens" | "round_robin") => {
    const router = new Router(policy, 2);
    loads.forEach((load, i) => router.update(i, load));
    return [router.route(200), router.route(250), router.route(1)];
  };
  assertEquals(first("least_tokens"), [1, 1, 0]);
  assertEquals(first("round_robin"), [0, 1, 0]);
});

Deno.test("a scheduler's load counts tokens that are still to come", () => {
  const scheduler = new Scheduler({ maxNumBatchedTokens: 6, maxNumSeqs: 1 });
  for (const id of [0, 1]) scheduler.add({ id, promptTokenIds: [1, 2, 3, 4], maxTokens: 3 });
  assertEquals(scheduler.load, { waiting: 2, running: 0, tokens: 14 });
  scheduler.schedule();
  assertEquals(scheduler.load, { waiting: 1, running: 1, tokens: 10 });
});
