import { COLLECTIVES } from "../collectives/registry.ts";
import { createCommunicatorState } from "../collectives/transports/communicator_state.ts";
import { Communicator } from "../collectives/transports/communicator.ts";
import { createWatchdogState } from "../collectives/transports/watchdog.ts";
import { WorkerRanks } from "../runtime/worker_ranks.ts";
import type { LoopCase } from "./suites/collectives/collective_loop.ts";
import {
  collectiveDeadlinesMs,
  startCollectiveWorker,
} from "./suites/collectives/collective_ranks.ts";
import type { RankMessage } from "./suites/collectives/collective_worker.ts";

const RANKS = [0, 1] as const;
const BYTES = [4 << 10, 256 << 10, 16 << 20] as const;

/** A Worker's modules are read from disk; a bare `deno bench` may not do so. */
const mayRead = Deno.permissions.querySync({ name: "read", path: "." }).state === "granted";
if (!mayRead) console.error("collectives_bench.ts: ignored, its Workers need --allow-read");

/** Two ranks: this thread, which is timed, and a Worker that follows it. */
async function pair(sums: "wasm" | "plain", capacity: number) {
  const watchdog = createWatchdogState(RANKS, 20_000);
  const state = createCommunicatorState({ globalRanks: RANKS, capacity, sums, watchdog });
  const follower = new WorkerRanks<RankMessage>([startCollectiveWorker()], {
    globalRanks: [1],
    watchdog,
    leave: { kind: "leave" },
    deadlinesMs: collectiveDeadlinesMs(),
  });
  await follower.ask(0, { kind: "join", state, rank: 1 });
  return { communicator: new Communicator(state, 0), follower };
}

async function bench(
  b: Deno.BenchContext,
  how: { readonly sums: "wasm" | "plain"; readonly bytes: number },
) {
  const count = how.bytes / 4;
  const { communicator, follower } = await pair(how.sums, count);
  await using _ = follower;
  const shape = { count, inPlace: false };
  const { program } = COLLECTIVES.all_reduce.algorithms.two_shot!;
  const prepared = communicator.prepare(program, shape);
  const allReduce: LoopCase = {
    op: "all_reduce",
    algorithm: "two_shot",
    ...shape,
    memory: "host",
  };
  const followed = follower.ask(0, { kind: "follow", case: allReduce });
  const run = () => {
    communicator.broadcastFlag(1);
    communicator.barrier();
    communicator.run(prepared);
  };
  // Memory that was never written is one page of zeros for the system: give every element a place.
  for (const rank of RANKS) communicator.array("input", rank).fill(rank + 1);
  for (let i = 0; i < WARM_UPS; i++) run();
  b.start();
  for (let i = 0; i < ROUNDS; i++) run();
  b.end();
  communicator.broadcastFlag(0);
  communicator.barrier();
  await followed;
}

/** All-reduces that an iteration times: starting a Worker costs more than one. */
const ROUNDS = 20;
const WARM_UPS = 20;

for (const bytes of BYTES) {
  const group = `${ROUNDS} all-reduces of ${bytes >> 10} KiB, 2 ranks`;
  for (const sums of ["plain", "wasm"] as const) {
    Deno.bench({
      name: `${group}, ${sums} sums`,
      group,
      baseline: sums === "plain",
      ignore: !mayRead,
      n: 20,
      warmup: 2,
      async fn(b) {
        await bench(b, { sums, bytes });
      },
    });
  }
}
