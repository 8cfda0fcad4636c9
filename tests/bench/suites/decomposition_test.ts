import { assert, assertAlmostEquals } from "@std/assert";
import { decompose, type Decomposition } from "../../../bench/suites/schedules/decomposition.ts";
import type { ReplicaTrace, Span, StepRecord } from "../../../runtime/replica_trace.ts";

function added(a: Decomposition, b: Decomposition): Decomposition {
  const kinds = Object.keys(a) as (keyof Decomposition)[];
  return Object.fromEntries(kinds.map((kind) => [kind, a[kind] + b[kind]])) as Decomposition;
}

interface Pipeline {
  /** Micro-batches. */
  readonly m: number;
  /** Time of each stage, in ms. */
  readonly stages: readonly number[];
  /** Batches that may be in flight. */
  readonly depth: number;
}

/** A step that an adapter works through. */
function step(batch: number, start: number, end: number): StepRecord {
  const spans: readonly Span[] = [{ kind: "compute", start, end, gpuUs: 1000 * (end - start) }];
  return { step: batch, tokens: 1, start, end, spans, submitUs: 0, waitUs: 0 };
}

/** What ranks note of a pipeline without hops or host time: batches go as soon as they may. */
function pipeline({ m, stages, depth }: Pipeline): ReplicaTrace {
  const steps = stages.map(() => [] as StepRecord[]);
  const inFlight: { start: number; end: number }[] = [];
  for (let batch = 0; batch < m; batch++) {
    const start = inFlight[batch - depth]?.end ?? 0;
    let at = start;
    for (const [stage, ms] of stages.entries()) {
      const begun = Math.max(at, steps[stage]!.at(-1)?.end ?? 0);
      at = begun + ms;
      steps[stage]!.push(step(batch, begun, at));
    }
    inFlight.push({ start, end: at });
  }
  return {
    stages: stages.length,
    inFlight,
    ranks: steps.map((own, stage) => ({ globalRank: stage, stage, tpRank: 0, steps: own })),
  };
}

function wallOf({ inFlight }: ReplicaTrace) {
  return { start: 0, end: inFlight.at(-1)!.end };
}

/** The share of ranks x wall, of everything that ranks measured. */
function shares(spent: Decomposition) {
  const { busy, fillDrain, imbalance, transfer, hostGap, ranksTimesWall } = spent;
  const closure = (busy + fillDrain + imbalance + transfer + hostGap) / ranksTimesWall;
  return {
    busy: busy / ranksTimesWall,
    fillDrain: fillDrain / ranksTimesWall,
    imbalance: imbalance / ranksTimesWall,
    closure,
  };
}

const sharesOf = (sizes: Pipeline) => {
  const trace = pipeline(sizes);
  return shares(decompose(trace, wallOf(trace)));
};

const EQUAL = [[16, 2], [1, 1], [1, 4], [2, 4], [4, 4], [16, 3], [7, 5], [64, 8]] as const;

for (const [m, p] of EQUAL) {
  Deno.test(`${m} micro-batches over ${p} equal stages wait (p - 1) / (m + p - 1), all of it filling and draining`, () => {
    for (const depth of [p, p + 1, p + m]) {
      const found = sharesOf({ m, stages: new Array<number>(p).fill(7), depth });
      const [bubble, label] = [(p - 1) / (m + p - 1), `depth ${depth}`];
      assertAlmostEquals(found.fillDrain, bubble, 1e-12, label);
      assertAlmostEquals(found.imbalance, 0, 1e-12, label);
      assertAlmostEquals(found.busy, 1 - bubble, 1e-12, label);
      assertAlmostEquals(found.closure, 1, 1e-12, label);
    }
  });
}

Deno.test("fewer batches in flight than there are stages is no imbalance", () => {
  for (const [m, p, depth] of [[8, 2, 1], [3, 4, 2], [9, 4, 3], [12, 5, 2]] as const) {
    const found = sharesOf({ m, stages: new Array<number>(p).fill(3), depth });
    assertAlmostEquals(found.imbalance, 0, 1e-12, `${m} batches, ${p} stages, depth ${depth}`);
    assertAlmostEquals(found.fillDrain, 1 - found.busy, 1e-12);
    assert(found.fillDrain > (p - 1) / (m + p - 1) + 0.01);
  }
  // Unequal stages that never hold two batches at once wait for batches, not for each other.
  const naive = sharesOf({ m: 5, stages: [10, 4], depth: 1 });
  assertAlmostEquals(naive.fillDrain, 0.5, 1e-12);
});

/** Stages but for the slowest wait for it m - 1 times; filling and draining are one batch's time. */
for (const stages of [[10, 4], [4, 10], [2, 5, 5], [5, 2, 5], [9, 5, 2], [2, 5, 9], [3, 8, 3, 5]]) {
  Deno.test(`stages of ${stages} ms: what the slowest one makes others wait is imbalance`, () => {
    const [m, p, slowest] = [12, stages.length, Math.max(...stages)];
    const sum = stages.reduce((a, b) => a + b);
    for (const depth of [p, p + 1, m]) {
      const trace = pipeline({ m, stages, depth });
      const { fillDrain, imbalance, busy } = decompose(trace, wallOf(trace));
      const wall = wallOf(trace).end;
      assertAlmostEquals(busy, m * sum, 1e-9);
      if (depth > p) assertAlmostEquals(wall, sum + (m - 1) * slowest, 1e-9);
      // Ahead of its first batch and behind its last one a stage waits for all others, once.
      assertAlmostEquals(fillDrain, (p - 1) * sum, 1e-9, `depth ${depth}`);
      assertAlmostEquals(imbalance, p * wall - m * sum - (p - 1) * sum, 1e-9, `depth ${depth}`);
      if (depth > p) assertAlmostEquals(imbalance, (m - 1) * (p * slowest - sum), 1e-9);
    }
  });
}

Deno.test("a pipeline that runs dry fills again", () => {
  const [once, p] = [pipeline({ m: 4, stages: [5, 5], depth: 2 }), 2];
  const { end } = wallOf(once);
  const later = <T extends { start: number; end: number }>(one: T): T => ({
    ...one,
    start: one.start + end,
    end: one.end + end,
  });
  const twice: ReplicaTrace = {
    stages: p,
    inFlight: [...once.inFlight, ...once.inFlight.map(later)],
    ranks: once.ranks.map((rank) => ({
      ...rank,
      steps: [
        ...rank.steps,
        ...rank.steps.map((one) => ({ ...later(one), spans: one.spans.map(later) })),
      ],
    })),
  };
  const { fillDrain, imbalance } = shares(decompose(twice, wallOf(twice)));
  assertAlmostEquals(fillDrain, 1 / 5, 1e-12);
  assertAlmostEquals(imbalance, 0, 1e-12);
});

Deno.test("replicas add up; one that is done early drains", () => {
  const [long, short] = [6, 2].map((m) => pipeline({ m, stages: [5, 5], depth: 2 }));
  const wall = wallOf(long!);
  const found = shares(added(decompose(long!, wall), decompose(short!, wall)));
  assertAlmostEquals(found.busy, 8 * 2 * 5 / (4 * wall.end), 1e-12);
  assertAlmostEquals(found.fillDrain, 1 - found.busy, 1e-12);
  assertAlmostEquals(found.closure, 1, 1e-12);
});

Deno.test("a span that is missing or counted twice leaves the sum of shares off 100 %", () => {
  const trace = pipeline({ m: 6, stages: [5, 5], depth: 2 });
  const wall = wallOf(trace);
  const withSpans = (change: (spans: readonly Span[]) => readonly Span[]): ReplicaTrace => ({
    ...trace,
    ranks: trace.ranks.map((rank, i) => ({
      ...rank,
      steps: rank.steps.map((one, batch) =>
        i === 1 && batch === 3 ? { ...one, spans: change(one.spans) } : one
      ),
    })),
  });
  const part = 5 / (2 * wall.end);
  for (
    const [change, closure] of [
      [(spans: readonly Span[]) => spans, 1],
      [() => [], 1 - part],
      [(spans: readonly Span[]) => [...spans, ...spans], 1 + part],
      [(spans: readonly Span[]) => [...spans, { ...spans[0]!, kind: "send" as const }], 1 + part],
    ] as const
  ) assertAlmostEquals(shares(decompose(withSpans(change), wall)).closure, closure, 1e-12);
});
