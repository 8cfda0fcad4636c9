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

Deno.test("a batch's slot is behind every result that it was launched after", () => {
  const flights = (list: readonly (readonly [number, number])[]) =>
    list.map(([start, end]) => ({ start, end }));
  const lines = (list: readonly (readonly [number, number])[]) =>
    pipelineCsv({ ...NAIVE, inFlight: flights(list) }).trim().split(/\r?\n/);
  assertEquals(lines([[0, 20], [0, 32], [32, 50], [33, 60]]), [
    "0F0,0F1,,0F2,0F3,",
    ",1F0,1F1,,1F2,1F3",
  ]);
  assertEquals(lines([[0, 20], [5, 40], [20, 50]]), ["0F0,0F1,0F2,", ",1F0,1F1,1F2"]);
});

Deno.test("the events of a Chrome trace, letter by letter", () => {
  const steps = [{
    ...{ step: 7, tokens: 5, start: 101, end: 104, submitUs: 0, waitUs: 0 },
    spans: [
      { kind: "receive", start: 101, end: 101.5 },
      { kind: "compute", start: 101.5, end: 102.0004, gpuUs: 300, ops: [3, 8] },
      { kind: "all_reduce", start: 102.25, end: 102.5 },
      { kind: "compute", start: 102.5, end: 102.75 },
      { kind: "all_gather", start: 102.75, end: 103 },
      { kind: "gather", start: 103, end: 103 },
      { kind: "argmax", start: 103, end: 103.5 },
      { kind: "send", start: 103.5, end: 104 },
    ],
  }, { step: 9, tokens: 1, start: 105, end: 106, spans: [], submitUs: 0, waitUs: 0 }] as const;
  const ranks = [{ globalRank: 6, stage: 1, tpRank: 2, steps }];
  const replica = { stages: 3, inFlight: [], ranks };
  const events = traceEvents([{ ...replica, ranks: [] }, replica], {
    label: "case",
    process: 4,
    startMs: 100,
  });
  const at = { pid: 4, tid: 6 };
  const args = { batch: 0, tokens: 5 };
  const span = (name: string, cname: string, [ts, dur]: readonly [number, number], more = {}) => ({
    ...{ ph: "X", name, cat: name === "compute" ? "compute" : "transfer", cname, ts, dur, ...at },
    args: { ...args, ...more },
  });
  const flow = { name: "hidden states", cat: "send", ...at };
  assertEquals(events, [
    { ph: "M", name: "process_name", pid: 4, args: { name: "case" } },
    { ph: "M", name: "process_sort_index", pid: 4, args: { sort_index: 4 } },
    { ph: "M", name: "thread_name", ...at, args: { name: "rank 6: replica 1, stage 1, tp 2" } },
    { ph: "M", name: "thread_sort_index", ...at, args: { sort_index: 6 } },
    span("receive", "rail_idle", [1000, 500]),
    { ph: "f", bp: "e", ...flow, id: "4.1.1.2.7", ts: 1000 },
    span("compute", "thread_state_running", [1500, 500.4], {
      gpu_us: 300,
      first_op: 3,
      last_op: 8,
    }),
    span("all_reduce", "thread_state_iowait", [2250, 250]),
    span("compute", "thread_state_running", [2500, 250]),
    span("all_gather", "rail_response", [2750, 250]),
    span("gather", "rail_response", [3000, 0]),
    span("argmax", "rail_response", [3000, 500]),
    span("send", "rail_animation", [3500, 500]),
    { ph: "s", ...flow, id: "4.1.2.2.7", ts: 3500 },
  ]);
});

Deno.test("a text timeline begins with its first batch, whenever that was, and is 72 wide", () => {
  const later = <T extends { start: number; end: number }>(one: T): T => ({
    ...one,
    start: one.start + 1000,
    end: one.end + 1000,
  });
  const replica = {
    stages: 1,
    inFlight: [later({ start: 0, end: 72 })],
    ranks: [{
      ...rank(0, 0, []),
      globalRank: 12,
      steps: rank(0, 0, [[0, 0, 24], [3, 48, 90]]).steps.map((step) => ({
        ...step,
        spans: step.spans.map(later),
      })),
    }],
  };
  assertEquals(
    textTimeline(replica, { label: "one" }),
    `one: 1 of 1 batches, 72.0 ms\n  rank 12 |${"0".repeat(24)}${".".repeat(24)}${"3".repeat(24)}|`,
  );
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
