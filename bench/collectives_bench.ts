import { COLLECTIVES } from "../collectives/registry.ts";
import { createCommunicatorState } from "../collectives/transports/communicator_state.ts";
import { abort, Communicator } from "../collectives/transports/communicator.ts";
import { WorkerRanks } from "../runtime/worker_ranks.ts";
import type { LoopRequest } from "./suites/collectives/collective_loop.ts";
import type { RankMessage } from "./suites/collectives/collective_worker.ts";

const RANKS = 2;
const BYTES = [4 << 10, 256 << 10, 16 << 20] as const;
const RULE = { minTimeMs: 0, minSamples: 1, maxNoisePct: 100, timeoutS: 1 };

/** A Worker's modules are read from disk; a bare `deno bench` may not do so. */
const mayRead = Deno.permissions.querySync({ name: "read", path: "." }).state === "granted";
if (!mayRead) console.error("collectives_bench.ts: ignored, its Workers need --allow-read");

/** Two ranks: this thread, which is timed, and a Worker that follows it. */
async function pair(sums: "wasm" | "plain", capacity: number) {
  const shared = createCommunicatorState({ ranks: RANKS, capacity, sums, timeoutMs: 20_000 });
  const worker = new Worker(new URL("./suites/collectives/collective_worker.ts", import.meta.url), {
    type: "module",
  });
  const follower = new WorkerRanks<RankMessage>([worker], {
    leave: { kind: "leave" },
    numbers: [1],
    onFailure: () => abort(shared, 1),
  });
  await follower.ask(0, { kind: "join", shared, rank: 1 });
  return { end: new Communicator(shared, 0), follower };
}

async function bench(
  b: Deno.BenchContext,
  how: { readonly sums: "wasm" | "plain"; readonly bytes: number },
) {
  const count = how.bytes / 4;
  const { end, follower } = await pair(how.sums, count);
  await using _ = follower;
  const shape = { count, inPlace: false };
  const { program } = COLLECTIVES.all_reduce.algorithms.two_shot!;
  const prepared = end.prepare(program, shape);
  const request: LoopRequest = {
    op: "all_reduce",
    algorithm: "two_shot",
    ...shape,
    memory: "host",
    rule: RULE,
  };
  const followed = follower.ask(0, { kind: "follow", request });
  const run = () => {
    end.broadcastFlag(1);
    end.barrier();
    end.run(prepared);
  };
  // Memory that was never written is one page of zeros for the system: give every element a place.
  for (let rank = 0; rank < RANKS; rank++) end.array("input", rank).fill(rank + 1);
  for (let i = 0; i < WARM_UPS; i++) run();
  b.start();
  for (let i = 0; i < ROUNDS; i++) run();
  b.end();
  end.broadcastFlag(0);
  end.barrier();
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
