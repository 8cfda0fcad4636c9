import { assert, assertEquals } from "@std/assert";
import { RankError, type RankFault } from "../../collectives/rank_error.ts";
import { createWatchdogState, Watchdog } from "../../collectives/transports/watchdog.ts";
import { type SpawnedRank, spawnRanks } from "./spawn_ranks.ts";

/** What rank 1 does in a second barrier, while the others wait for it there. */
const DEEDS: Readonly<
  Record<string, readonly [run: (rank: SpawnedRank) => unknown, did: string, words?: string]>
> = {
  throws: [
    ({ communicator }) => {
      communicator.barrier();
      if (communicator.rank === 1) throw new Error("planted failure");
      communicator.barrier();
    },
    "threw",
    ": planted failure",
  ],
  "throws where nobody catches": [
    ({ communicator }) => {
      communicator.barrier();
      if (communicator.rank === 1) {
        setTimeout(() => {
          throw new Error("planted failure");
        });
        return new Promise(() => {});
      }
      communicator.barrier();
    },
    "threw",
    ": Uncaught Error: planted failure",
  ],
  exits: [({ communicator }) => {
    communicator.barrier();
    if (communicator.rank === 1) Deno.exit(1);
    communicator.barrier();
  }, "exited"],
  closes: [({ communicator }) => {
    communicator.barrier();
    if (communicator.rank === 1) self.close();
    communicator.barrier();
  }, "closed itself"],
  hangs: [({ communicator }) => {
    communicator.barrier();
    while (communicator.rank === 1);
    communicator.barrier();
  }, "did not come within 1500 ms"],
  "sends nothing": [({ communicator, next, previous }) => {
    communicator.barrier();
    while (communicator.rank === 1);
    // Rank 0 waits for 2, which soon waits for 1: the time of one that waits itself does not count.
    const start = performance.now();
    while (communicator.rank === 2 && performance.now() - start < 500);
    previous.waitRecv(1);
    next.send(new Float32Array(1));
  }, "sent nothing within 1500 ms"],
  "takes nothing": [({ communicator, next }) => {
    communicator.barrier();
    while (communicator.rank === 1);
    if (communicator.rank === 0) { for (;;) next.send(new Float32Array(1)); }
    communicator.barrier();
  }, "took nothing within 1500 ms"],
};

for (const [name, [run, did, words = ""]] of Object.entries(DEEDS)) {
  Deno.test(`a rank that ${name} is named by each of its peers and by their owner, with what it did`, async () => {
    const timeoutMs = did.includes("within") ? 1500 : 60_000;
    const { results, failure } = await spawnRanks(3, run, { timeoutMs });
    const message = `Cannot go on: rank 11 ${did}`;
    assertEquals([results[0], results[2]], [message, message]);
    assert(failure instanceof RankError);
    assertEquals([failure.message, failure.fault.globalRank], [`${message}${words} (at run)`, 11]);
  });
}

Deno.test("a slow rank is waited for", async () => {
  const { results } = await spawnRanks(2, ({ communicator }) => {
    const start = performance.now();
    while (communicator.rank === 1 && performance.now() - start < 300);
    communicator.barrier();
    return "came";
  });
  assertEquals(results, ["came", "came"]);
});

Deno.test("ranks that wait for each other in a circle do not wait for ever", async () => {
  const { results } = await spawnRanks(2, ({ previous }) => previous.waitRecv(1), {
    timeoutMs: 50,
  });
  assert(
    results.every((seen) => /^Cannot go on: rank 1\d sent nothing/.test(String(seen))),
    `${results}`,
  );
});

Deno.test("of two faults the first counts, whole, and nobody sees parts of both", () => {
  const state = createWatchdogState([3, 1000], 7);
  const [one, other] = [new Watchdog(state), new Watchdog(state)];
  assertEquals(other.fault, undefined);
  one.abort({ globalRank: 1000, did: "did not come", withinMs: 7 });
  other.abort({ globalRank: 3, did: "threw" });
  const first: RankFault = { globalRank: 1000, did: "did not come", withinMs: 7 };
  assertEquals([one.fault, other.fault], [first, first]);
});

Deno.test("messages come in order, more of them than slots, and one that is too long is refused", async () => {
  const { results } = await spawnRanks(2, ({ communicator, next, previous }) => {
    if (communicator.rank === 0) {
      for (let i = 0; i < 100; i++) next.send(Float32Array.of(i, i * i));
      try {
        next.send(new Float32Array(17));
      } catch (error) {
        return String(error);
      }
    }
    const seen: number[] = [];
    for (let i = 0; i < 100; i++) {
      seen.push(...previous.waitRecv(2));
      previous.pop();
    }
    return seen.join();
  });
  const sent = Array.from({ length: 100 }, (_, i) => [i, i * i]).flat();
  assertEquals(results, [
    "RangeError: Cannot send 17 elements: a message has room for 16",
    sent.join(),
  ]);
});
