import { assert, assertEquals, assertThrows } from "@std/assert";
import { RankError } from "../../collectives/rank_error.ts";
import { MEMORIES } from "../../collectives/step_program.ts";
import { Communicator } from "../../collectives/transports/communicator.ts";
import {
  counterWord,
  createCommunicatorState,
  FLAG_WORD,
  MAX_GROUP_RANKS,
  memoryAddress,
  tableWord,
} from "../../collectives/transports/communicator_state.ts";
import { createP2PChannelState, P2PChannel } from "../../collectives/transports/p2p_channel.ts";
import { SharedCounter } from "../../collectives/transports/shared_counter.ts";
import { createWatchdogState, Watchdog } from "../../collectives/transports/watchdog.ts";

/** Both ends of a channel from rank 7 to rank 8, with room for two messages of three elements. */
function channel() {
  const watchdog = createWatchdogState([7, 8], 1);
  return new P2PChannel(
    createP2PChannelState({ sender: 7, receiver: 8, slots: 2, capacity: 3, watchdog }),
  );
}

Deno.test("a counter is reached at its number and above, past the end of 32 bits too", () => {
  const counter = new SharedCounter(new Int32Array(new SharedArrayBuffer(16)), 2);
  counter.raise(5);
  assertEquals([4, 5, 6].map((least) => counter.reaches(least, 1)), [true, true, false]);
  assertEquals([4, 5, 6].map((least) => counter.sleep(least, 1)), [true, true, false]);
  counter.raise(2 ** 31 + 3);
  assertEquals([2 ** 31 - 1, 2 ** 31 + 4].map((least) => counter.reaches(least, 1)), [true, false]);
});

Deno.test("a counter counts who sleeps in the word after it, and nobody once all are awake", () => {
  const words = new Int32Array(new SharedArrayBuffer(16));
  const counter = new SharedCounter(words, 1);
  counter.raise(3);
  const start = performance.now();
  counter.sleep(4, 20);
  assert(performance.now() - start > 15, "it did not sleep");
  assertEquals([...words], [0, 3, 0, 0]);
});

Deno.test("a channel gives the parts of messages that are asked for, oldest first, out of slots used anew", () => {
  const ends = channel();
  ends.send(Float32Array.of(1, 2, 3));
  ends.send(Float32Array.of(4, 5, 6));
  assertEquals([...ends.waitRecv(3)], [1, 2, 3]);
  assertEquals([...ends.waitRecv(2)], [1, 2], "until it is popped");
  ends.pop();
  ends.send(Float32Array.of(7));
  assertEquals([...ends.waitRecv(3)], [4, 5, 6]);
  ends.pop();
  assertEquals([...ends.waitRecv(1)], [7]);
  assertThrows(() => ends.waitRecv(4), RangeError, "Cannot send 4 elements");
});

Deno.test("who sends into a full channel names its receiver, who waits at an empty one its sender", () => {
  const full = channel();
  for (const value of [1, 2]) full.send(Float32Array.of(value));
  const taken = assertThrows(() => full.send(Float32Array.of(3)), RankError);
  assertEquals(taken.fault, { globalRank: 8, did: "took nothing", withinMs: 1 });
  const sent = assertThrows(() => channel().waitRecv(1), RankError);
  assertEquals(sent.fault, { globalRank: 7, did: "sent nothing", withinMs: 1 });
});

Deno.test("who waits for a fault is let go by it, or without one", async () => {
  const state = createWatchdogState([2, 1000], 5);
  const [one, other] = [new Watchdog(state), new Watchdog(state)];
  const awake = setTimeout(() => {}, 10_000); // such a promise alone keeps no program running
  const released = other.aborted();
  one.release();
  assertEquals(await released, undefined);
  const aborted = other.aborted();
  one.abort({ globalRank: 1000, did: "exited" });
  assertEquals(await aborted, { globalRank: 1000, did: "exited" });
  assertEquals(await other.aborted(), { globalRank: 1000, did: "exited" });
  clearTimeout(awake);
});

Deno.test("a rank that was waited for is no longer one that waits", () => {
  const watchdog = new Watchdog(createWatchdogState([3, 1000], 5));
  const counter = new SharedCounter(new Int32Array(new SharedArrayBuffer(8)), 0);
  watchdog.wait(counter, 0, { waiter: 1000, peer: 3, did: "did not come" });
  assertEquals([3, 1000].map((rank) => watchdog.isWaiting(rank)), [false, false]);
  const waiting = { waiter: 1000, peer: 3, did: "did not come" } as const;
  assertThrows(() => watchdog.wait(counter, 1, waiting), RankError, "rank 3 did not come within 5");
  assertEquals([3, 1000].map((rank) => watchdog.isWaiting(rank)), [false, true]);
});

Deno.test("no two of a group's counters, tables and arrays share a word, nor counters a cache line", () => {
  const [ranks, capacity] = [MAX_GROUP_RANKS, 5000];
  const all = [...Array(ranks).keys()];
  const spans = [
    [4 * FLAG_WORD, 4],
    ...all.map((rank) => [4 * counterWord(rank), 128] as const),
    ...all.map((rank) => [4 * tableWord(rank), 4 * MAX_GROUP_RANKS] as const),
    ...all.flatMap((rank) =>
      MEMORIES.map((memory) => [memoryAddress(rank, memory, { capacity }), 4 * capacity] as const)
    ),
  ] as const;
  for (const [i, [start]] of spans.entries()) {
    const [before, length] = spans[i - 1] ?? [0, 0];
    assert(start >= before + length, `span ${i} begins at ${start}`);
  }
  assertEquals(all.map((rank) => memoryAddress(rank, "input", { capacity }) % 4096), all.fill(0));
});

Deno.test("a group's last array lies within its memory, and its ranks spin only on cores of their own", () => {
  const cores = navigator.hardwareConcurrency;
  const globalRanks = [0, 1, 2];
  const create = (ranksInAll?: number) =>
    createCommunicatorState({
      globalRanks,
      capacity: 100_000,
      watchdog: createWatchdogState(globalRanks, 1),
      sums: "plain",
      ranksInAll,
    });
  const communicator = new Communicator(create(), 2);
  assertEquals(communicator.size, 3);
  for (const memory of MEMORIES) assertEquals(communicator.array(memory).length, 100_000);
  const spins = [cores, cores + 1].map((ranks) => create(ranks).spins);
  assert(spins[0]! > 100 * spins[1]!, `${spins}`);
});

Deno.test("a program of more elements than there is room for is refused", () => {
  const watchdog = createWatchdogState([4], 1);
  const state = createCommunicatorState({ globalRanks: [4], capacity: 8, watchdog });
  const communicator = new Communicator(state, 0);
  const prepare = (count: number) => communicator.prepare(() => [], { count, inPlace: false });
  assertEquals(prepare(8).steps, []);
  assertThrows(() => prepare(9), RangeError, "there is room for 8");
  communicator.broadcastFlag(-3);
  assertEquals([communicator.flag, new Communicator(state, 0).flag], [-3, -3]);
  communicator.abort("threw");
  assertEquals(new Watchdog(watchdog).fault, { globalRank: 4, did: "threw" });
});

Deno.test("a move reads its sources and writes its place, wherever they begin, in WASM and in TypeScript", () => {
  for (const sums of ["wasm", "plain"] as const) {
    const watchdog = createWatchdogState([0], 1);
    const communicator = new Communicator(
      createCommunicatorState({ globalRanks: [0], capacity: 16, watchdog, sums }),
      0,
    );
    communicator.array("input").forEach((_, i, input) => input[i] = 2 ** i);
    const move = (start: number, ...from_: readonly number[]) => ({
      to: { memory: "output", start } as const,
      count: 2,
      sources: from_.map((at) => ({ rank: 0, memory: "input", start: at } as const)),
    });
    const moves = [
      move(1, 3),
      move(3, 0, 5),
      move(5, 0, 2, 4),
      { ...move(8, 6, 10), how: "maxloc" } as const,
    ];
    communicator.run(communicator.prepare(() => [{ moves }], { count: 16, inPlace: false }));
    const expected = [0, 8, 16, 33, 66, 21, 42, 0, 1024, 2048, 0, 0, 0, 0, 0, 0];
    assertEquals([...communicator.array("output")], expected, sums);
  }
});
