import { assertEquals } from "@std/assert";
import {
  CaseRepetitions,
  type LayoutCases,
  measureLayouts,
} from "../../../bench/suites/schedules/measure_layouts.ts";
import { SCHEDULES } from "../../../schedules/registry.ts";
import { ALONE, EXPECTED, GROUP, played, QUEUED, repetition } from "./played_layout.ts";

Deno.test("a repetition's steps, waits and wrong tokens are added up", () => {
  const one = new CaseRepetitions(ALONE, {
    ...{ minTimeMs: 0, minSamples: 4, maxNoisePct: 100, timeoutS: 0.013 },
  });
  one.take(repetition(), EXPECTED);
  const steps = [
    { hostUs: 2000, gpuUs: 1200, submitUs: 10, waitUs: 20 },
    { hostUs: 3000, gpuUs: 2500, submitUs: 11, waitUs: 21 },
  ];
  assertEquals([one.steps, one.stopReason], [steps, undefined]);
  const last = repetition([[1, 9, 3], [4, 5]]);
  one.take(last, EXPECTED);
  assertEquals(one.steps, [...steps, ...steps]);
  assertEquals([one.mismatches, one.rounds], [[0, 2], [0, 0, 1, 1]]);
  assertEquals([one.engineUs, one.maxInFlight], [[1000, 1000], 1]);
  assertEquals([one.stages.length, one.spent.length, one.last === last], [2, 2, true]);
  assertEquals(one.spent[0]!.ranksTimesWall, 6);
  const latencies = { wallMs: 6, ttftMs: [2, 3], tpotMs: [1], itlMs: [4], e2eMs: [5, 6] };
  assertEquals(one.served, [latencies, latencies]);
  one.take(repetition(), EXPECTED);
  assertEquals(one.stopReason, "timeout", "18 ms of 13");
});

Deno.test("cases of layouts are warmed up and take turns until each has enough; a layout is told when it has", async () => {
  const world = played();
  const done: LayoutCases[] = [];
  const [first, second] = [world.open([ALONE, QUEUED]), world.open([GROUP])];
  const { signal } = new AbortController();
  await measureLayouts([first, second], {
    ...{ seed: 1, signal },
    onDone: (layout) => Promise.resolve(void done.push(layout)),
  });
  assertEquals(new Set(done), new Set([first, second]));
  assertEquals(first.measured.map(({ served }) => served.length), [2, 2]);
  assertEquals(second.measured.map(({ stopReason }) => stopReason), ["noise_target"]);
  assertEquals(world.asked.length, 3 + 3 * 2, "a warm-up each");
  assertEquals(world.asked[0], {
    maxConcurrentBatches: 1,
    way: { head: "all_gather", slicedSends: false },
    schedule: SCHEDULES.step,
    limits: { maxNumBatchedTokens: 8, maxNumSeqs: 2 },
    router: "round_robin",
  });
  await first[Symbol.asyncDispose]();
  assertEquals(world.disposed(), 1);
});

Deno.test("an error ends its layout, which serves no more, and not the others", async () => {
  let served = 0;
  const world = played({
    serve: () => {
      if (++served > 3) throw new Error("out");
      return repetition();
    },
  });
  const layout = world.open([ALONE, QUEUED]);
  const fine = played();
  const other = fine.open([GROUP]);
  const done: LayoutCases[] = [];
  await measureLayouts([layout, other], {
    ...{ seed: 2, signal: new AbortController().signal },
    onDone: (one) => Promise.resolve(void done.push(one)),
  });
  assertEquals([(layout.error as Error).message, served], ["out", 4]);
  assertEquals([layout.open, done.length, other.error], [[], 2, undefined]);
  await layout.repeat(layout.measured[0]!);
  assertEquals(served, 4);
});

Deno.test("after an interrupt nothing is served and nothing told", async () => {
  const [world, stop] = [played(), new AbortController()];
  stop.abort();
  const layout = world.open([ALONE]);
  const onDone = () => Promise.reject(new Error("told"));
  await measureLayouts([layout], { seed: 1, signal: stop.signal, onDone });
  assertEquals(world.asked, []);
  const later = new AbortController();
  const cut = played({ serve: () => (later.abort(), repetition()) });
  await measureLayouts([cut.open([ALONE, QUEUED])], { seed: 1, signal: later.signal, onDone });
  assertEquals(cut.asked.length, 1);
});
