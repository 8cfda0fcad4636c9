import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Session } from "../../../bench/measure/session.ts";
import type { Timer } from "../../../bench/measure/timer.ts";
import { TuningStore } from "../../../bench/measure/tuning_store.ts";
import {
  type CollectiveCase,
  collectiveCases,
  collectiveLabel,
} from "../../../bench/suites/collectives/collective_cases.ts";
import type {
  LoopCase,
  LoopRequest,
  LoopResult,
} from "../../../bench/suites/collectives/collective_loop.ts";
import { CollectiveRanks } from "../../../bench/suites/collectives/collective_ranks.ts";
import type { CollectiveResult } from "../../../bench/suites/collectives/collective_row.ts";
import { measureGroup } from "../../../bench/suites/collectives/measure_group.ts";
import { measureOverlap } from "../../../bench/suites/collectives/overlap.ts";
import type { AdapterIdentity } from "../../../device/adapter.ts";
import { RankError } from "../../../collectives/rank_error.ts";
import type { Operation } from "../../../kernels/operation.ts";
import { resolved } from "../../config/resolved.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test.afterAll(closeSharedDevice);

const MEASURE = { min_time_ms: 10, min_samples: 2, max_noise_pct: 100, timeout_s: 9 };

function config(collectives: object) {
  const own = { ops: ["all_reduce"], ranks: [2], sizes: "8B,1KiB", memory: ["device"] };
  const workers = { ...own, transports: ["workers"], ...collectives };
  return resolved({ measure: MEASURE, collectives: workers });
}

/** Microseconds by what is run. */
type Times = (request: LoopRequest) => number;

const TIMES: Times = ({ op, algorithm, count }) => {
  if (op === "send_recv") return 9000 + count; // 9 ms and 4 bytes a microsecond
  return algorithm === "ring" ? 6000 : algorithm === "one_shot" ? 8000 : 10_000;
};

interface Played {
  readonly times?: Times;
  readonly wrong?: number;
  readonly fail?: (calls: number) => unknown;
}

/** Measures the cases of a group whose ranks are played. */
async function measured(collectives: object, { times = TIMES, wrong = 0, fail }: Played = {}) {
  const calls: string[] = [];
  const opened: object[] = [];
  let closed = 0;
  const pool = {
    measure: (request: LoopRequest) => {
      calls.push(`${request.op} ${request.algorithm} ${4 * request.count} ${request.warmUps}`);
      assertEquals([request.inPlace, request.turn], [false, {
        minTimeMs: 1,
        minSamples: 1,
        maxSamples: 100,
      }]);
      const error = fail?.(calls.length);
      if (error) return Promise.reject(error);
      const us = times(request);
      const parts = { readUs: [], exchangeUs: [], writeUs: [], maxAbsError: 0, tolerance: 0 };
      const ranks: LoopResult[] = [us / 2, us].map((one) => ({
        ...{ timesUs: [one], ...parts, wrongElements: wrong },
      }));
      return Promise.resolve(ranks);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(void closed++),
  } as unknown as CollectiveRanks;
  const tuning = TuningStore.open({ name: "an adapter" } as AdapterIdentity);
  const errors = { recover: (error: Error) => `recovered ${error.message}` };
  const session = {
    device: { clock: "gpu", maxStorageBufferBindingSize: 1000, errors },
    time: { ranks: (run: () => unknown) => run() },
    tuning,
  } as unknown as Session;
  const results: (readonly [string, CollectiveResult])[] = [];
  const { open } = CollectiveRanks;
  const { signal } = new AbortController();
  CollectiveRanks.open = ({ signal: heard, ...options }) => {
    assertEquals(heard, signal);
    opened.push(options);
    return Promise.resolve(pool);
  };
  try {
    const one = config(collectives);
    const cases = collectiveCases(one);
    const link = await measureGroup(one, session, {
      group: cases[0]!,
      cases,
      signal,
      onResult: (c, result) => Promise.resolve(void results.push([short(c), result])),
    });
    return { calls, opened, closed, results, link, tuning };
  } finally {
    CollectiveRanks.open = open;
  }
}

function short(c: CollectiveCase): string {
  return collectiveLabel(c).split(" ").filter((word) => !/workers|device|ranks/.test(word))
    .join(" ");
}

Deno.test("programs take turns until each has enough, then auto, which is the fastest; the link is fitted", async () => {
  const found = await measured({ algorithms: ["one_shot", "ring", "auto"] });
  const { calls, results, link, tuning } = found;
  assertEquals([found.opened, found.closed], [[{ ranks: 2, capacity: 256 }], 1]);
  const programs = ["one_shot", "ring", "two_shot", "recursive_doubling"];
  const names = [...programs.map((one) => `all_reduce ${one}`), "send_recv one_shot"];
  const turns = (warmUps: number, of = names) =>
    of.flatMap((name) => [8, 1024].map((bytes) => `${name} ${bytes} ${warmUps}`)).sort();
  // Two rounds of ten programs, then two of auto at two sizes: it runs the ring.
  assertEquals(calls.slice(0, 10).toSorted(), turns(5));
  assertEquals(calls.slice(10, 20).toSorted(), turns(2));
  assertEquals(calls.slice(20, 22).toSorted(), turns(5, ["all_reduce ring"]));
  assertEquals(calls.slice(22).toSorted(), turns(2, ["all_reduce ring"]));
  assert(
    calls.slice(0, 10).join() !== calls.slice(10, 20).map((call) => call.replace(/2$/, "5")).join(),
  );
  assertEquals(results.map(([label]) => label).toSorted(), [
    "all_reduce auto bytes=1024",
    "all_reduce auto bytes=8",
    "all_reduce one_shot bytes=1024",
    "all_reduce one_shot bytes=8",
    "all_reduce ring bytes=1024",
    "all_reduce ring bytes=8",
  ]);
  for (const [label, { ran, status, reason, rounds, stopReason, clock, ranks }] of results) {
    assertEquals(ran, label.includes("one_shot") ? "one_shot" : "ring");
    assertEquals([status, reason, rounds, stopReason, clock], [
      "ok",
      "",
      [0, 1],
      "noise_target",
      "host",
    ]);
    const us = ran === "ring" ? 6000 : 8000;
    assertEquals(ranks.map(({ timesUs }) => timesUs), [[us / 2, us / 2], [us, us]]);
  }
  assertAlmostEquals(link!.alphaUs, 9000, 1e-6);
  assertAlmostEquals(link!.gbytesPerS, 0.004, 1e-9);
  const key = "all_reduce workers device 2";
  assertEquals([8, 1024].map((bytes) => tuning.bestAlgorithm(key, bytes)), ["ring", "ring"]);
});

Deno.test("wrong elements of all ranks and rounds make a result wrong", async () => {
  const { results } = await measured({ algorithms: ["ring"], sizes: "8B" }, { wrong: 3 });
  const [[, { status, reason }]] = results as [typeof results[number]];
  assertEquals([status, reason], ["wrong", "12 wrong elements"]);
});

Deno.test("one size fits no link", async () => {
  const { link, calls } = await measured({ algorithms: ["ring"], sizes: "8B" });
  assertEquals([link, calls.includes("send_recv one_shot 8 5")], [undefined, true]);
});

Deno.test("int8 blocks are measured where they are asked for, and auto never takes them", async () => {
  const times: Times = ({ algorithm }) => algorithm === "one_shot_int8" ? 3000 : 5000;
  const { results } = await measured({ algorithms: ["one_shot_int8", "auto"], sizes: "8B" }, {
    times,
  });
  assertEquals(results.map(([label, { ran }]) => [label, ran === "one_shot_int8"]).toSorted(), [
    ["all_reduce auto bytes=8", false],
    ["all_reduce one_shot_int8 bytes=8", true],
  ]);
});

Deno.test("what cannot be run is told at once, and opens no ranks where nothing else is asked for", async () => {
  const { results, opened, link } = await measured({
    algorithms: ["recursive_doubling"],
    ranks: [3],
  });
  assertEquals([opened, link], [[], undefined]);
  assertEquals(results.map(([, { status, reason }]) => `${status}: ${reason}`), [
    "skipped: recursive_doubling needs a power of two, not 3 ranks",
    "skipped: recursive_doubling needs a power of two, not 3 ranks",
  ]);
  const same = { transports: ["same_device"], algorithms: ["ring"], ranks: [2] };
  // Two ranks have three memories of 256 elements each; 1000 bytes can be bound.
  const narrow = await measured({ ...same, sizes: "1KiB" });
  assertEquals(
    narrow.results[0]![1].reason,
    "its ranks' memories take 6144 bytes; the adapter binds 1000",
  );
  const { systemMemoryInfo } = Deno;
  Deno.systemMemoryInfo = () => ({ ...systemMemoryInfo(), available: 48_000 });
  try {
    const few = await measured({ algorithms: ["ring"], sizes: "4000B,4004B" });
    const reasons = few.results.map(([label, { reason }]) => `${label} ${reason}`).toSorted();
    assertEquals(reasons, [
      "all_reduce ring bytes=4000 ",
      "all_reduce ring bytes=4004 its ranks share 24024 bytes; 24000 can be had",
    ]);
  } finally {
    Deno.systemMemoryInfo = systemMemoryInfo;
  }
});

Deno.test("an error ends a group: cases without a result say which", async () => {
  const rank = Object.assign(Object.create(RankError.prototype), { message: "rank 1 threw\nx" });
  const group = { algorithms: ["one_shot", "ring"], sizes: "8B" };
  // Six programs a round; the second round's first call is the seventh.
  const late = await measured(group, { fail: (calls) => calls > 4 ? rank : undefined });
  assertEquals([late.link, late.closed], [undefined, 1]);
  const failed = late.results.filter(([, { status }]) => status === "failed");
  assert(failed.length > 0);
  for (const [, { reason, ranks }] of failed) assertEquals([reason, ranks], ["rank 1 threw", []]);
  assertEquals(new Set(late.results.map(([label]) => label)).size, 2, "each once");
  assertEquals(late.results.length, 2);
  const other = await measured(group, { fail: () => new Error("out") });
  assertEquals(other.results.map(([, { reason }]) => reason), ["recovered out", "recovered out"]);
});

Deno.test("a collective and a GEMM are timed alone and beside each other, for 150 ms", async () => {
  const device = await sharedDevice();
  const runs: number[] = [];
  let [samples, besides, end] = [0, 0, () => {}];
  const pool = {
    backToBack: (c: LoopCase, count: number) => {
      assertEquals([c.count, c.inPlace], [6, false]);
      runs.push(count);
      if (runs.length < 3) return Promise.resolve([50_000, 42_000][runs.length - 1]);
      return new Promise((resolve) => end = () => resolve(60_000));
    },
  } as unknown as CollectiveRanks;
  const timer: Pick<Timer, "warmUp" | "sample"> = {
    warmUp: () => Promise.resolve(),
    sample: () => {
      samples++;
      if (runs.length === 3 && ++besides === 5) end();
      return Promise.resolve({ gpuUs: 1, hostUs: 1000 * samples, submitUs: 1 });
    },
  };
  const tuner = { best: ({ variants }: Operation) => Promise.resolve(variants[0]) };
  const session = { device, timer, tuner } as unknown as Session;
  const c = { op: "all_reduce", algorithm: "ring", transport: "workers" } as const;
  const found = await measureOverlap(session, pool, {
    ...c,
    ...{ memory: "host", ranks: 2, messageBytes: 24 },
  });
  assertEquals(runs, [1, 3, 3]);
  assertEquals(found, {
    overlap_collective_us: 42_000,
    overlap_collective_beside_us: 60_000,
    overlap_gemm_us: 5500, // the middle of 1 to 10 ms
    overlap_gemm_beside_us: found.overlap_gemm_beside_us,
  });
  assert(found.overlap_gemm_beside_us >= 13_000 && samples >= 15, `${samples}`);
});
