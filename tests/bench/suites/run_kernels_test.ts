import { assert, assertEquals } from "@std/assert";
import type { Session } from "../../../bench/measure/session.ts";
import type { Timer } from "../../../bench/measure/timer.ts";
import { runKernels } from "../../../bench/suites/kernels/run_kernels.ts";
import type { Progress, SuiteRun } from "../../../bench/suites/suite_run.ts";
import type { Operation } from "../../../kernels/operation.ts";
import type { KernelRow } from "../../../records/rows/row.ts";
import { resolved } from "../../config/resolved.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test.afterAll(closeSharedDevice);

/** Additions of 1 to 10 rows of 4096 columns, of which a case takes 2 * 3 rows of memory. */
const ROW_BYTES = 2 * 3 * 4096 * 4;
const TOKENS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

interface Played {
  readonly tokens?: readonly number[];
  readonly modes?: readonly string[];
  readonly memoryBytes?: number;
  readonly finished?: SuiteRun<KernelRow>["finished"];
  readonly filter?: RegExp;
  readonly stopAfter?: number;
}

/** Runs the suite on a played timer, whose samples all take as long; gives what happened. */
async function ran({ tokens = TOKENS, modes = ["hot"], memoryBytes = 2 ** 30, ...rest }: Played) {
  const device = await sharedDevice();
  const config = resolved({
    measure: { min_time_ms: 1, min_samples: 2, max_noise_pct: 100, timeout_s: 100, modes },
    kernels: { ops: ["add"], tokens, variants: ["vector"] },
  });
  const stop = new AbortController();
  const log: string[] = [];
  const [evicted, rows, progress] = [[] as boolean[], [] as KernelRow[], [] as Progress[]];
  let saved = 0;
  const timer: Pick<Timer, "warmUp" | "sample"> = {
    warmUp: () => Promise.resolve(void log.push("start")),
    sample: (dispatches, evict) => {
      device.run(dispatches);
      evicted.push(evict !== undefined);
      if (log.at(-1) !== "turn") log.push("turn");
      if (evicted.length === rest.stopAfter) stop.abort();
      return Promise.resolve({ gpuUs: 1e6, hostUs: 1e6, submitUs: 1 });
    },
  };
  const canary = {
    ...{ canary_start_multiply_add_us: 1, canary_multiply_add_us: 1 },
    ...{ canary_start_copy_us: 1, canary_copy_us: 1 },
  };
  const session: unknown = {
    ...{ device, timer },
    canary: { read: () => Promise.resolve(canary) },
    tuning: { save: () => Promise.resolve(void saved++) },
    tuner: { best: ({ variants }: Operation) => Promise.resolve(variants[0]) },
    time: { setUp: (run: () => unknown) => run() },
    ceilings: { copyGbytesPerS: 1e9, cachedGbytesPerS: 1e9, multiplyAddGflops: 1e9 },
  };
  const run: SuiteRun<KernelRow> = {
    ...{ runId: "run 1", folder: "none", memoryBytes, signal: stop.signal, filter: rest.filter },
    finished: rest.finished ?? new Map(),
    onRow: ({ row }) => void rows.push(row),
    onProgress: (one) => void progress.push(one),
  };
  await runKernels(config, session as Session, run);
  return { rows, progress, log: log.join(" "), evicted, saved };
}

Deno.test("up to eight cases are under way together, in a seeded order; each has its rows when it is done", async () => {
  const { rows, progress, log, evicted, saved } = await ran({});
  assertEquals(log, `${"start ".repeat(8)}turn start start turn`);
  assertEquals(progress.map(({ done, total }) => [done, total]), TOKENS.map((n) => [n, 10]));
  assert(progress.every(({ label }) => label.startsWith("add float32 tp=1 tokens=")));
  const order = rows.map((row) => row["tokens"]);
  assertEquals(order.toSorted((a, b) => Number(a) - Number(b)), TOKENS);
  assert(order.join() !== TOKENS.join(), "shuffled");
  for (const row of rows) {
    assertEquals([row["status"], row["run_id"], row["variant"], row["mode"], row["samples"]], [
      "ok",
      "run 1",
      "vector",
      "hot",
      2,
    ]);
  }
  assertEquals([saved, evicted.includes(true)], [10, false]);
});

Deno.test("cases under way take a quarter of the memory at most, and one at least", async () => {
  const two = await ran({ tokens: [4, 5], memoryBytes: 4 * 9 * ROW_BYTES });
  assertEquals(two.log, "start start turn");
  const one = await ran({ tokens: [4, 5], memoryBytes: 4 * 9 * ROW_BYTES - 4 });
  assertEquals(one.log, "start turn start turn");
  const none = await ran({ tokens: [4, 5], memoryBytes: 5 * ROW_BYTES });
  assertEquals([none.log, none.rows.length], ["start turn start turn", 2]);
});

Deno.test("cold runs flush the caches first", async () => {
  const { evicted, rows } = await ran({ tokens: [1], modes: ["cold"] });
  assertEquals([new Set(evicted), rows.map((row) => row["mode"])], [new Set([true]), ["cold"]]);
});

Deno.test("only what a filter leaves and what is missing is measured", async () => {
  const some = await ran({ filter: /tokens=[12] / });
  assertEquals(some.rows.map((row) => row["tokens"]).toSorted(), [1, 2]);
  const finished = new Map(some.rows.map((row) => [row.row_key!, { row, series: {} }]));
  const missing = await ran({ tokens: [1, 2, 3], finished });
  assertEquals(missing.rows.map((row) => row["tokens"]), [3]);
  assertEquals(missing.progress.map(({ done, total }) => [done, total]), [[1, 3], [2, 3], [3, 3]]);
});

Deno.test("an interrupt ends the suite: cases without a reason to stop have no row", async () => {
  const { rows, progress, log } = await ran({ tokens: [1, 2, 3], stopAfter: 2 });
  assertEquals([rows.length, progress, log], [0, [], "start start start turn"]);
});
