import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Session } from "../../../bench/measure/session.ts";
import {
  type Suite,
  writeFailed,
  writeRows,
  writeUnmeasured,
} from "../../../bench/suites/schedules/layout_rows.ts";
import {
  CaseRepetitions,
  LayoutCases,
  measureLayouts,
} from "../../../bench/suites/schedules/measure_layouts.ts";
import {
  type OpenWork,
  type ScheduleCase,
  scheduleCases,
} from "../../../bench/suites/schedules/schedule_cases.ts";
import { RankError } from "../../../collectives/rank_error.ts";
import type { Device } from "../../../device/device.ts";
import { stageCosts, stageProgram, wholeDecoder } from "../../../model/stage_program.ts";
import type { Cells, Facts, Series } from "../../../records/rows/column.ts";
import type { LayoutRun, Repetition } from "../../../runtime/layout_run.ts";
import { SCHEDULES } from "../../../schedules/registry.ts";
import { LogitsError } from "../../../schedules/logits_error.ts";
import { resolved } from "../../config/resolved.ts";

const CONFIG = resolved({
  measure: { min_time_ms: 0.001, min_samples: 2, max_noise_pct: 100, timeout_s: 9 },
  schedules: {
    layouts: [{}, { tensor_parallel_size: 2 }],
    max_num_batched_tokens: 8,
    max_num_seqs: 2,
    requests: { count: 2, prompt_tokens: 1, output_tokens: 3 },
    schedules: ["step", "step_with_batch_queue"],
    max_concurrent_batches: [2],
    router: "round_robin",
  },
});
const [ALONE, QUEUED, GROUP] = scheduleCases(CONFIG) as [ScheduleCase, ScheduleCase, ScheduleCase];
const REQUESTS = [0, 1].map((id) => ({ id, promptTokenIds: [id], maxTokens: 3, arrivalMs: 0 }));
const EXPECTED = [[1, 2, 3], [4, 5, 6]];
const CANARY = {
  canary_start_multiply_add_us: 1,
  canary_multiply_add_us: 1,
  canary_start_copy_us: 1,
  canary_copy_us: 1,
};

/** A batch of one token a request, each at a position. */
function batch(step: number, position: number, [start, end]: readonly [number, number]) {
  const scheduled = REQUESTS.map(({ id }) => ({
    ...{ requestId: id, slot: id, start: position, tokenIds: [7], isSampled: true },
  }));
  return { batch: { scheduled }, result: { step, start, end, tokenIds: [] }, newTokens: [] };
}

/** What serving once gave: two batches of 2 and 3 ms on one rank, 1 ms apart. */
function repetition(tokenIds = EXPECTED): Repetition {
  const span = (start: number, end: number, gpuUs: number) =>
    ({ kind: "compute", start, end, gpuUs }) as const;
  const steps = [
    { step: 5, tokens: 2, start: 0.5, end: 2, spans: [span(0.5, 2, 1200)] },
    { step: 6, tokens: 2, start: 3.25, end: 6, spans: [span(3.25, 6, 2500)] },
  ].map((step, i) => ({ ...step, submitUs: 10 + i, waitUs: 20 + i }));
  const part: unknown = {
    served: {
      ...{
        tokenIds,
        startMs: 0,
        wallMs: 6,
        ttftMs: [2, 3],
        tpotMs: [1],
        itlMs: [4],
        e2eMs: [5, 6],
      },
      batches: [[batch(5, 0, [0, 2]), batch(6, 1, [3, 6])]],
    },
    traces: [{
      stages: 1,
      inFlight: [{ start: 0, end: 2 }, { start: 3, end: 6 }],
      ranks: [{ globalRank: 0, stage: 0, tpRank: 0, steps }],
    }],
    wall: { start: 0, end: 6 },
    reports: [{ allReduces: 0, allGathers: 0, sends: 0, sentBytes: 0 }],
  };
  return part as Repetition;
}

interface Played {
  readonly type?: string;
  readonly serve?: (options: object) => Repetition;
}

/** What measuring takes, all of it played; and what is told. */
function played({ type = "software", serve = () => repetition() }: Played = {}) {
  const rows: { row: Cells; series: Series; facts?: Facts | undefined }[] = [];
  const traces: string[] = [];
  const asked: object[] = [];
  let disposed = 0;
  const errors = { recover: (error: Error) => `recovered ${error.message}` };
  const device = { identity: { name: "a", type }, errors } as unknown as Device;
  const session: Partial<Session> = {
    device,
    canary: { read: () => Promise.resolve(CANARY) } as unknown as Session["canary"],
    time: { ranks: (run: () => unknown) => run() } as unknown as Session["time"],
    ceilings: { copyGbytesPerS: 1e9, cachedGbytesPerS: 1e9, multiplyAddGflops: 2 },
  };
  const cacheConfig = {
    ...{ dtype: "float32", maxNumSeqs: 2, maxModelLen: 8, maxNumBatchedTokens: 8 },
    maxStorageBufferBindingSize: 2 ** 30,
  } as const;
  const work = { config: CONFIG, requests: REQUESTS, cacheConfig, session } as unknown as OpenWork;
  const suite = {
    ...work,
    reference: () => Promise.resolve({ tokens: 3, mismatches: 0 }),
    run: {
      runId: "run 1",
      finished: new Map(),
      onRow: (one: typeof rows[number]) => void rows.push(one),
      files: { addTrace: (label: string) => void traces.push(label) },
    },
  } as unknown as Suite;
  const run = {
    opened: [{ weightBytes: 10, kvCacheBytes: 1 }, { weightBytes: 20, kvCacheBytes: 2 }],
    serve: (requests: unknown, options: object) => {
      assertEquals(requests, REQUESTS);
      asked.push(options);
      return Promise.try(() => serve(options));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(void disposed++),
  } as unknown as LayoutRun;
  const open = (cases: readonly ScheduleCase[]) =>
    new LayoutCases(work, run, { cases, expected: EXPECTED });
  return { suite, open, rows, traces, asked, disposed: () => disposed };
}

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

Deno.test("a layout's rows have its ranks' bytes, its requests' tokens and every series", async () => {
  const world = played();
  const layout = world.open([ALONE]);
  await layout.repeat(layout.measured[0]!);
  await writeRows(layout, [layout], world.suite);
  const [{ row, series, facts }] = world.rows as [typeof world.rows[number]];
  assertEquals([row["weight_bytes"], row["kv_cache_bytes"], row["oversubscribed"]], [30, 3, false]);
  assertEquals([row["suite"], row["run_id"], row["status"]], ["schedules", "run 1", "ok"]);
  assertEquals([row["reference_tokens"], row["reference_mismatches"]], [3, 0]);
  const { busy_ms, fill_drain_ms, host_gap_ms, idle_ms, imbalance_ms, transfer_ms, ...rest } =
    series;
  assertEquals(rest, {
    host_us: [2000, 3000],
    gpu_us: [1200, 2500],
    submit_us: [10, 11],
    wait_us: [20, 21],
    wall_ms: [6],
    ttft_ms: [2, 3],
    tpot_ms: [1],
    itl_ms: [4],
    e2e_ms: [5, 6],
    engine_us: [1000],
    mismatched_tokens: [0],
    ranks_wall_ms: [6],
    round: [0, 0],
  });
  const parts = [busy_ms, transfer_ms, fill_drain_ms, imbalance_ms, host_gap_ms].map((one) =>
    one![0]!
  );
  // 3.7 ms on the adapter; 0.55 ms beside it within steps and 1.75 ms between them.
  [3.7, 0, 0, 0, 2.3].forEach((ms, i) => assertAlmostEquals(parts[i]!, ms, 1e-9));
  assertAlmostEquals(idle_ms![0]!, 1.75, 1e-9);
  const stage = wholeDecoder(CONFIG.model, world.suite.cacheConfig);
  const flops = [0, 1].map((position) => {
    const costs = stageCosts(
      stageProgram(stage, { tokens: 2, logitsRows: 2 }, {
        ...{
          tokenIds: [7, 7],
          positions: [position, position],
          slots: [0, 1],
          logitsIndices: [0, 1],
        },
      }),
    );
    return costs.reduce((sum, cost) => sum + cost.flops, 0);
  });
  const { ideal_us, ...others } = facts!;
  assertAlmostEquals(Number(ideal_us) / ((flops[0]! + flops[1]!) / 2000), 1, 1e-12);
  assertEquals(others, { ...CANARY, generated_tokens: 6 });
  assertEquals(world.traces, ["step tp=1 pp=1 dp=1 depth=1"]);
});

Deno.test("more ranks than cores, or than adapters, are marked; only one rank has an ideal time", async () => {
  for (
    const [type, isMarked] of [["software", navigator.hardwareConcurrency < 2], ["discrete", true]]
  ) {
    const world = played({ type: type as string });
    const layout = world.open([GROUP]);
    await layout.repeat(layout.measured[0]!);
    await writeRows(layout, [layout], world.suite);
    const { row, facts } = world.rows[0]!;
    assertEquals([row["oversubscribed"], row["logical_ranks"]], [isMarked, 2], `${type}`);
    assertEquals("ideal_us" in facts!, false);
  }
});

Deno.test("cases of a layout that failed have rows that say why", async () => {
  const why = async (error: unknown) => {
    const world = played();
    await writeFailed([ALONE, QUEUED], world.suite, error);
    assertEquals(world.rows.map(({ row }) => row["samples"]), [0, 0]);
    return world.rows.map(({ row }) => `${row["schedule"]} ${row["status"]} ${row["reason"]}`);
  };
  const logits = Object.assign(Object.create(LogitsError.prototype), { message: "not finite" });
  assertEquals(await why(logits), [
    "step wrong not finite",
    "step_with_batch_queue wrong not finite",
  ]);
  assertEquals((await why(new Error("other")))[0], "step failed recovered other");
  const rank = Object.assign(Object.create(RankError.prototype), { message: "rank 1 threw\nx" });
  assertEquals((await why(rank))[0], "step failed rank 1 threw");
  const world = played();
  const layout = world.open([ALONE]);
  layout.error = new Error("ended");
  await writeRows(layout, [layout], world.suite);
  assertEquals(world.rows.map(({ row }) => row["reason"]), ["recovered ended"]);
  await writeUnmeasured([GROUP], world.suite, { status: "skipped", reason: "no room" });
  const { row, series } = world.rows[1]!;
  assertEquals([row["status"], row["reason"], row["logical_ranks"], series], [
    "skipped",
    "no room",
    2,
    {},
  ]);
});
