/** Benchmarks of the engine's own time: scheduling and updating, with batches that take none. */

import { EngineCore, type Executor } from "../schedules/engine_core.ts";
import { Scheduler } from "../schedules/scheduler.ts";

const INSTANT: Omit<Executor, "depth"> = {
  submit: ({ parts }) =>
    Promise.resolve({ tokenIds: parts.filter((part) => part.isSampled).map(() => 0) }),
};

for (const [requests, depth] of [[8, 1], [8, 2], [64, 2]] as const) {
  const limits = { maxNumBatchedTokens: 64, maxNumSeqs: requests };
  let engine = new EngineCore(new Scheduler(limits), { depth, ...INSTANT });
  Deno.bench({
    name: `a step of the engine, ${requests} requests, depth ${depth}`,
    group: "engine",
    fn: async () => {
      if (!engine.isBusy) {
        const scheduler = new Scheduler(limits);
        for (let id = 0; id < requests; id++) {
          scheduler.add({ id, promptTokenIds: new Array<number>(16).fill(1), maxTokens: 500 });
        }
        engine = new EngineCore(scheduler, { depth, ...INSTANT });
      }
      await engine.step();
    },
  });
}
