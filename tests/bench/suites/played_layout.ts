import { assertEquals } from "@std/assert";
import type { Session } from "../../../bench/measure/session.ts";
import type { Suite } from "../../../bench/suites/schedules/layout_rows.ts";
import { LayoutCases } from "../../../bench/suites/schedules/measure_layouts.ts";
import {
  type OpenWork,
  type ScheduleCase,
  scheduleCases,
} from "../../../bench/suites/schedules/schedule_cases.ts";
import type { Device } from "../../../device/device.ts";
import type { Cells, Facts, Series } from "../../../records/rows/column.ts";
import type { LayoutRun, Repetition } from "../../../runtime/layout_run.ts";
import { resolved } from "../../config/resolved.ts";

/** Two layouts of which the first has a case of naive and one of queued steps. */
export const CONFIG = resolved({
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
/** Cases of one rank, and one of a group of two. */
export const [ALONE, QUEUED, GROUP] = scheduleCases(CONFIG) as [
  ScheduleCase,
  ScheduleCase,
  ScheduleCase,
];
const REQUESTS = [0, 1].map((id) => ({ id, promptTokenIds: [id], maxTokens: 3, arrivalMs: 0 }));
/** What each request must give. */
export const EXPECTED = [[1, 2, 3], [4, 5, 6]];
/** A machine that did not change. */
export const CANARY = {
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
export function repetition(tokenIds = EXPECTED): Repetition {
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
export function played({ type = "software", serve = () => repetition() }: Played = {}) {
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
