/** Benchmarks of the engine's own time: scheduling and updating, with batches that take none. */

import { EngineCore, type Executor } from "../schedules/engine_core.ts";
import { Scheduler } from "../schedules/scheduler.ts";

const INSTANT: Omit<Executor, "maxConcurrentBatches"> = {
  submit: ({ scheduled }) =>
    Promise.resolve({ tokenIds: scheduled.filter((part) => part.isSampled).map(() => 0) }),
};

for (const [requests, maxConcurrentBatches] of [[8, 1], [8, 2], [64, 2]] as const) {
  const limits = { maxNumBatchedTokens: 64, maxNumSeqs: requests };
  let engine = new EngineCore(new Scheduler(limits), { ...INSTANT, maxConcurrentBatches });
  Deno.bench({
    name: `a step of the engine, ${requests} requests, depth ${maxConcurrentBatches}`,
    group: "engine",
    fn: async () => {
      if (!engine.isBusy) {
        const scheduler = new Scheduler(limits);
        for (let id = 0; id < requests; id++) {
          scheduler.add({ id, promptTokenIds: new Array<number>(16).fill(1), maxTokens: 500 });
        }
        engine = new EngineCore(scheduler, { ...INSTANT, maxConcurrentBatches });
      }
      await engine.step();
    },
  });
}
