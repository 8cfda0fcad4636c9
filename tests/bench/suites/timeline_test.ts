import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { decompose } from "../../../bench/suites/schedules/decomposition.ts";
import type { ReplicaTrace } from "../../../runtime/replica_trace.ts";
import {
  batchSizes,
  engineTimesUs,
  mostInFlight,
  stageSamples,
  stageTimes,
} from "../../../bench/suites/schedules/stage_times.ts";
import { steadyStateBoundMs } from "../../../planner/pipeline_law.ts";
import {
  pipelineCsv,
  textTimeline,
  traceEvents,
} from "../../../bench/suites/schedules/timeline.ts";

/** A stage's work on some batches: [batch, start, end], the last ms of all but the last stage a send. */
function rank(
  globalRank: number,
  last: number,
  work: readonly (readonly [number, number, number])[],
) {
  return {
    globalRank,
    stage: globalRank,
    tpRank: 0,
    steps: work.map(([step, start, end]) => ({
      step,
      start,
      end,
      tokens: 4,
      submitUs: 1,
      waitUs: 1,
      spans: [
        ...(globalRank > 0 ? [{ kind: "receive", start, end: start + 1 } as const] : []),
        {
          kind: "compute",
          start: globalRank > 0 ? start + 1 : start,
          end: globalRank < last ? end - 1 : end,
          gpuUs: 1000 * (end - start - 2),
        } as const,
        ...(globalRank < last ? [{ kind: "send", start: end - 1, end } as const] : []),
      ],
    })),
  };
}

/** Two stages of 10 ms, one batch at a time, 2 ms of host time between batches. */
const NAIVE: ReplicaTrace = {
  stages: 2,
  inFlight: [{ start: 0, end: 20 }, { start: 22, end: 42 }],
  ranks: [
    rank(0, 1, [[0, 0, 10], [1, 22, 32]]),
    rank(1, 1, [[0, 10, 20], [1, 32, 42]]),
  ],
};

/** The same work, both batches in flight; the second stage takes 12 ms for the second batch. */
const QUEUE: ReplicaTrace = {
  stages: 2,
  inFlight: [{ start: 0, end: 20 }, { start: 0, end: 32 }],
  ranks: [
    rank(0, 1, [[0, 0, 10], [1, 10, 20]]),
    rank(1, 1, [[0, 10, 20], [1, 20, 32]]),
  ],
};

Deno.test("the shares of a naive schedule are what its spans say, and sum to the wall time", () => {
  const spent = decompose(NAIVE, { start: 0, end: 42 });
  // Each of 4 steps: 1 ms transfer, 8 ms adapter, 1 ms host; a stage idles while the other works.
  assertEquals(spent, {
    busy: 32,
    transfer: 4,
    fillDrain: 40,
    imbalance: 0,
    hostGap: 4 + 2 * 2,
    idle: 44,
    ranksTimesWall: 2 * 42,
  });
});

Deno.test("two batches wait for the pipeline to fill and to drain, whatever the second one takes", () => {
  const spent = decompose(QUEUE, { start: 0, end: 32 });
  // Stage 1 waits 10 ms for the first batch, stage 0 12 ms behind the last one.
  assertEquals([spent.imbalance, spent.fillDrain], [0, 10 + 12]);
  const { idle: _, ranksTimesWall, ...shares } = spent;
  assertEquals([Object.values(shares).reduce((a, b) => a + b, 0), ranksTimesWall], [64, 64]);
  const later = decompose(QUEUE, { start: 0, end: 40 });
  assertEquals(later.fillDrain, 22 + 16, "what comes after the last batch is draining");
});

Deno.test("stage times, depth and the pipeline law are read off the spans", () => {
  const times = stageTimes([stageSamples(QUEUE)]);
  assertEquals(times.byTokens.map((map) => map.get(4)), [10_000, 11_000]);
  assertEquals([...batchSizes(QUEUE)], [[4, 2]]);
  assertEquals([mostInFlight(NAIVE), mostInFlight(QUEUE)], [1, 2]);
  assertEquals(engineTimesUs(NAIVE), [2000]);
  assertEquals(engineTimesUs(QUEUE), []);
  const naive = stageTimes([stageSamples(NAIVE)]);
  assertEquals(naive.hostUs, 2000);
  assertAlmostEquals(
    steadyStateBoundMs({ sizes: batchSizes(NAIVE), inFlight: 1 }, naive),
    44,
    1e-9,
  );
  // Two in flight: (10 + 10 + 2) / 2 = 11 ms a batch, more than a stage takes.
  assertAlmostEquals(
    steadyStateBoundMs({ sizes: batchSizes(NAIVE), inFlight: 2 }, naive),
    22,
    1e-9,
  );
  assertAlmostEquals(
    steadyStateBoundMs({ sizes: batchSizes(NAIVE), inFlight: 3 }, naive),
    20,
    1e-9,
  );
});

Deno.test("stage times of replicas and repetitions are pooled batch by batch", () => {
  const both = stageTimes([stageSamples(NAIVE), stageSamples(QUEUE)]);
  // 10, 10, 10, 10 ms and 10, 10, 10, 12 ms.
  assertEquals(both.byTokens.map((map) => [...map]), [[[4, 10_000]], [[4, 10_500]]]);
  // From the first repetition's result to its next launch; the second one has no such wait.
  assertEquals([both.hostUs, both.p2pLatencyUs], [2000, 0]);
});

Deno.test("of the ranks of a stage the one that is slowest with a batch counts, hops are waits of idle stages", () => {
  const first = rank(0, 1, [[0, 0, 10], [1, 30, 44]]);
  const peer = { ...rank(0, 1, [[0, 0, 13], [1, 30, 41]]), globalRank: 1, tpRank: 1 };
  const last = { ...rank(1, 1, [[0, 15, 25], [1, 45, 55]]), globalRank: 2 };
  const inFlight = [{ start: 0, end: 27 }, { start: 29, end: 55 }];
  const samples = stageSamples({ stages: 2, inFlight, ranks: [first, peer, last] });
  assertEquals([...samples.byTokens[0]!], [[4, [13_000, 14_000]]]);
  assertEquals(samples.hops, [2000, 1000]); // 13 to 15, 44 to 45
  assertEquals(samples.heads, [0, 1000]);
  assertEquals(samples.tails, [2000, 0]);
  assertEquals(samples.engine, [2000]);
});

Deno.test("pipeline schedules are written as PyTorch writes them", () => {
  assertEquals(pipelineCsv(NAIVE).trim().split(/\r?\n/), ["0F0,,0F1,", ",1F0,,1F1"]);
  assertEquals(pipelineCsv(QUEUE).trim().split(/\r?\n/), ["0F0,0F1,", ",1F0,1F1"]);
});

Deno.test("a Chrome trace has a thread a rank, spans that do not overlap, and an arrow for each send", () => {
  const events = traceEvents([QUEUE], { label: "case", process: 3, startMs: 0 });
  const threads = events.filter(({ name }) => name === "thread_name");
  assertEquals(threads.map(({ tid }) => tid), [0, 1]);
  for (const tid of [0, 1]) {
    const spans = events.filter((event) => event.ph === "X" && event["tid"] === tid)
      .map((event) => [Number(event["ts"]), Number(event["dur"])] as const);
    spans.slice(1).forEach(([ts], i) => assert(ts >= spans[i]![0] + spans[i]![1]));
  }
  const starts = events.filter(({ ph }) => ph === "s");
  const ends = events.filter(({ ph }) => ph === "f");
  assertEquals(starts.map((e) => e["id"]), ends.map((e) => e["id"]));
  assertEquals(starts.map((e) => [e["tid"], e["ts"]]), [[0, 9000], [0, 19000]]);
  assertEquals(ends.map((e) => [e["tid"], e["ts"]]), [[1, 10000], [1, 20000]]);
  const kinds = new Set(
    events.filter(({ ph }) => ph === "X").map((e) => `${e["name"]} ${e["cname"]}`),
  );
  assertEquals(kinds.size, 3, "one colour a kind");
});

Deno.test("the text timeline shows who computes which batch", () => {
  assertEquals(
    textTimeline(NAIVE, { label: "step", width: 42 }),
    [
      "step: 2 of 2 batches, 42.0 ms",
      "  rank  0 |000000000-............111111111-..........|",
      "  rank  1 |..........-000000000............-111111111|",
    ].join("\n"),
  );
});

Deno.test("the text timeline shows the first eight batches, and nothing where there are none", () => {
  const flights = Array.from({ length: 9 }, (_, i) => ({ start: 10 * i, end: 10 * i + 10 }));
  const work = flights.map(({ start, end }, i) => [i, start, end] as const);
  const nine = { stages: 1, inFlight: flights, ranks: [rank(0, 0, work)] };
  assertEquals(
    textTimeline(nine, { label: "step", width: 16 }),
    "step: 8 of 9 batches, 80.0 ms\n  rank  0 |0011223344556677|",
  );
  assertEquals(textTimeline({ ...nine, inFlight: [] }, { label: "step" }), "");
});
