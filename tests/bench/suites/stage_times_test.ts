import { assertEquals } from "@std/assert";
import {
  batchSizes,
  engineTimesUs,
  mostInFlight,
  stageSamples,
} from "../../../bench/suites/schedules/stage_times.ts";
import type { ReplicaTrace } from "../../../runtime/replica_trace.ts";

/** A rank's steps, each [tokens, start, end] in ms. */
function rank(stage: number, tpRank: number, work: readonly (readonly [number, number, number])[]) {
  const steps = work.map(([tokens, start, end], step) => ({
    ...{ step, tokens, start, end },
    ...{ spans: [], submitUs: 0, waitUs: 0 },
  }));
  return { globalRank: 2 * stage + tpRank, stage, tpRank, steps };
}

/** Two stages of two ranks with three batches, the second behind the first one in the queue. */
const TRACE: ReplicaTrace = {
  stages: 2,
  inFlight: [{ start: 100, end: 126 }, { start: 105, end: 130.5 }, { start: 140, end: 165 }],
  ranks: [
    rank(0, 0, [[4, 102, 110], [1, 111, 117], [4, 142, 150]]),
    rank(0, 1, [[4, 104, 113], [1, 112, 116], [4, 141, 152]]),
    rank(1, 0, [[4, 113, 121], [1, 124, 130], [4, 155, 161]]),
    rank(1, 1, [[4, 115, 124], [1, 126, 131], [4, 157, 160]]),
  ],
};

Deno.test("what a stage of two ranks takes and waits for is read off the later of both, batch by batch", () => {
  const { byTokens, ...waits } = stageSamples(TRACE);
  assertEquals(byTokens.map((map) => [...map]), [
    [[4, [9000, 11_000]], [1, [6000]]],
    [[4, [9000, 6000]], [1, [6000]]],
  ]);
  assertEquals(waits, {
    // 113 to 115; 124, when the stage was free, to 126; 152 to 157.
    hops: [2000, 2000, 5000],
    // 100 to 104; the second one found the stage busy until 113; 140 to 142.
    heads: [4000, 0, 2000],
    // 124 to 126; a clock says that the result came before 131; 161 to 165.
    tails: [2000, 0, 4000],
    // 126 to 140, 130.5 to 140; nothing was launched behind the last one.
    engine: [14_000, 9500],
  });
  assertEquals([...batchSizes(TRACE)], [[4, 2], [1, 1]]);
});

Deno.test("a batch that is launched with a result waited for it", () => {
  const inFlight = [{ start: 0, end: 10 }, { start: 10, end: 20 }];
  assertEquals(stageSamples({ ...TRACE, ranks: [], inFlight }).engine, [0]);
});

Deno.test("a batch that no rank noted is left out", () => {
  const ranks = TRACE.ranks.map((one) => ({ ...one, steps: one.steps.slice(0, 1) }));
  const { byTokens, hops, heads, tails } = stageSamples({ ...TRACE, ranks });
  assertEquals(byTokens.map((map) => [...map]), [[[4, [9000]]], [[4, [9000]]]]);
  assertEquals([hops, heads, tails], [[2000], [4000], [2000]]);
});

Deno.test("batches that end when another begins are not in flight with it", () => {
  const most = (flights: readonly (readonly [number, number])[]) =>
    mostInFlight({ inFlight: flights.map(([start, end]) => ({ start, end })) });
  assertEquals(most([[0, 10], [5, 20], [8, 12], [10, 30], [15, 16]]), 3);
  assertEquals([most([[0, 10], [10, 20]]), most([])], [1, 0]);
});

Deno.test("the engine's time is that from the latest result to a launch, where a result was waited for", () => {
  const inFlight = [[0, 20], [1, 30], [22, 40], [31, 50], [31.5, 60], [40, 70], [40, 80]]
    .map(([start, end]) => ({ start: start!, end: end! }));
  // 20 to 22, 30 to 31, none behind another launch, at once.
  assertEquals(engineTimesUs({ ...TRACE, inFlight }), [2000, 1000, 0, 0]);
});
