import { assert, assertEquals } from "@std/assert";
import { EdgeChecks } from "../../../bench/measure/edge_checks.ts";
import type { Session } from "../../../bench/measure/session.ts";
import type { Timer } from "../../../bench/measure/timer.ts";
import { CaseRun, type CaseWish } from "../../../bench/suites/kernels/case_run.ts";
import type { KernelsSetting } from "../../../bench/suites/kernels/measurement.ts";
import { DeviceError } from "../../../device/device_error.ts";
import type { Operation } from "../../../kernels/operation.ts";
import type { KernelCase } from "../../../model/kernel_ops.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";
import { tinyModel } from "../../runtime/tiny.ts";

Deno.test.afterAll(closeSharedDevice);

/** Its tensors are 3 of 3 rows of 64 columns. */
const ADD: KernelCase = {
  ...{ op: "add", dtype: "float32", tensorParallelSize: 1, tensorParallelRank: 0 },
  ...{ tokens: 3, context: 3 },
};
const ADD_BYTES = 3 * 3 * 64 * 4;
const FFN: KernelCase = { ...ADD, op: "ffn" };
const EVERYTHING: CaseWish = { variants: "all", modes: ["hot", "cold"], keep: () => true };

interface Changes {
  readonly best?: (operation: Operation) => Promise<unknown>;
  readonly memoryBytes?: number;
  readonly most?: number;
}

async function setting(changes: Changes = {}) {
  const device = await sharedDevice();
  const { memoryBytes = 2 ** 30, best = ({ variants }) => Promise.resolve(variants[1]) } = changes;
  const tuned: string[] = [];
  const timer: Pick<Timer, "warmUp" | "sample"> = {
    warmUp: () => Promise.resolve(),
    sample: (dispatches) => {
      device.run(dispatches);
      return Promise.resolve({ gpuUs: 1e9, hostUs: 1e9, submitUs: 1 });
    },
  };
  const limited = changes.most === undefined ? device : Object.create(device, {
    maxStorageBufferBindingSize: { value: changes.most },
  });
  const session: unknown = {
    ...{ device: limited, timer },
    time: { setUp: (run: () => unknown) => run() },
    tuner: { best: (own: Operation) => (tuned.push(own.kernel), best(own)) },
    ceilings: { copyGbytesPerS: 1, cachedGbytesPerS: 1, multiplyAddGflops: 1 },
  };
  const rule = { minTimeMs: 0, minSamples: 1, maxNoisePct: 1e9, timeoutS: 0 };
  const all: KernelsSetting = {
    ...{ session: session as Session, model: tinyModel(), seed: 1, rule, memoryBytes },
    ...{ cacheFlush: undefined, edgeChecks: new EdgeChecks(device) },
  };
  return { all, tuned };
}

/** Rows of a case, each taken a turn where it has one: variant, mode, status and reason. */
async function rows(wish: Partial<CaseWish>, changes: Changes = {}, case_ = ADD) {
  const { all, tuned } = await setting(changes);
  using run = await CaseRun.start(all, case_, { ...EVERYTHING, ...wish });
  assertEquals(run.case, case_);
  for (const measurement of run.open) await measurement.turn();
  assertEquals(run.open, []);
  const results = await run.finish();
  const lines = results.map(({ variant, mode, status, reason }) =>
    `${variant} ${mode} ${status} ${reason}`.trim()
  );
  return { lines, results, tuned };
}

Deno.test("all variants of a case are measured in all modes, and none is chosen for it", async () => {
  const { lines, tuned, results } = await rows({});
  assertEquals(lines, ["naive hot ok", "naive cold ok", "vector hot ok", "vector cold ok"]);
  assertEquals(tuned, []);
  const cost = { flops: 3 * 64, bytesRead: 2 * 3 * 64 * 4, bytesWritten: 3 * 64 * 4 };
  assertEquals(results.map((one) => one.cost), new Array(4).fill(cost));
});

Deno.test("best is the variant that was tuned; a module's are naive and best", async () => {
  const one = await rows({ variants: "best", modes: ["hot"] });
  assertEquals([one.lines, one.tuned], [["vector hot ok"], ["add"]]);
  const whole = await rows({ variants: "best", modes: ["hot"] }, {}, FFN);
  assertEquals([whole.lines, whole.tuned], [["best hot ok"], ["gemv", "activation", "gemv"]]);
  assertEquals(whole.results[0]!.shaders, ["gemv/register_tile_1x8", "activation/vector"]);
  const { flops } = whole.results[0]!.cost;
  assertEquals(flops, 2 * 3 * 64 * 192 + 3 * 96 * 5 + 2 * 3 * 96 * 64, "of all operations");
  const all = await rows({ modes: ["hot"] }, {}, FFN);
  assertEquals(all.lines, ["naive hot ok", "best hot ok"]);
  assertEquals(all.results[0]!.shaders, ["gemv/naive", "activation/naive"]);
});

Deno.test("named variants are measured where a case has them; others are rows that say what it has", async () => {
  const { lines } = await rows({ variants: ["vector", "tiled", "best"], modes: ["hot"] });
  assertEquals(lines, [
    'tiled hot skipped "add" has no variant of this name for its shape; it has naive, vector',
    "vector hot ok",
    "best hot ok",
  ]);
  // In a module the operations that have no such variant run the best one.
  const tile = await rows({ variants: ["split_inner"], modes: ["hot"] }, {}, FFN);
  assertEquals(tile.lines, ["split_inner hot ok"]);
  assertEquals(tile.results[0]!.shaders, ["gemv/split_inner", "activation/vector"]);
});

Deno.test("rows that are there are not measured again: of best any variant's", async () => {
  const some = await rows({ keep: (variant, mode) => variant !== "naive" || mode !== "hot" });
  assertEquals(some.lines, ["naive cold ok", "vector hot ok", "vector cold ok"]);
  const best = await rows({
    variants: "best",
    keep: (variant, mode) => !(variant === "naive" && mode === "hot"),
  });
  assertEquals(best.lines, ["vector cold ok"]);
});

Deno.test("what has no room is skipped before anything is allocated, with the numbers", async () => {
  const { all } = await setting();
  assertEquals(CaseRun.bytes(all, ADD), 2 * ADD_BYTES, "on the host and on the device");
  const fits = await rows({ variants: ["naive"], modes: ["hot"] }, { memoryBytes: 2 * ADD_BYTES });
  assertEquals(fits.lines, ["naive hot ok"]);
  const { lines } = await rows({}, { memoryBytes: 2 * ADD_BYTES - 1 });
  const why = `it needs ${2 * ADD_BYTES} bytes of memory; ${2 * ADD_BYTES - 1} are available`;
  assertEquals(lines, [`all hot skipped ${why}`, `all cold skipped ${why}`]);
  const narrow = await rows({ variants: ["naive"], modes: ["hot"] }, { most: 767 });
  assertEquals(narrow.lines, [
    'naive hot skipped "a" takes 768 bytes; the adapter binds at most 767',
  ]);
});

Deno.test("a case whose best variant cannot be told has failed", async () => {
  const best = () => Promise.reject(new DeviceError("Internal", "broken\nmore"));
  const { lines } = await rows({ variants: "best" }, { best });
  assertEquals(lines, ["best hot failed broken", "best cold failed broken"]);
});

Deno.test("what was cut off before it had a reason to stop is left out", async () => {
  const { all } = await setting();
  using run = await CaseRun.start(all, ADD, { ...EVERYTHING, modes: ["hot"] });
  const [first] = run.open;
  await first!.turn();
  const results = await run.finish();
  assertEquals(results.map(({ variant }) => variant), ["naive"]);
  assert(results[0]!.stopReason !== undefined);
});
