import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CacheFlush } from "../../../bench/measure/cache_flush.ts";
import { EdgeChecks } from "../../../bench/measure/edge_checks.ts";
import type { Session } from "../../../bench/measure/session.ts";
import type { StopCriteria } from "../../../bench/measure/stopping_rule.ts";
import type { Sample, Timer } from "../../../bench/measure/timer.ts";
import { Workload } from "../../../bench/measure/workload.ts";
import {
  isUntimed,
  type KernelsSetting,
  Measurement,
  type Mode,
} from "../../../bench/suites/kernels/measurement.ts";
import type { Device } from "../../../device/device.ts";
import { DeviceError } from "../../../device/device_error.ts";
import type { Dispatch } from "../../../device/dispatch.ts";
import type { Cost } from "../../../kernels/kernel.ts";
import { operation } from "../../../kernels/operation.ts";
import { KERNELS } from "../../../kernels/registry.ts";
import type { KernelCase } from "../../../model/kernel_ops.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test.afterAll(closeSharedDevice);

const CASE = { op: "add" } as KernelCase;
const FLUSH = { program: { name: "flush" } } as Dispatch;
const CEILINGS = { copyGbytesPerS: 10, cachedGbytesPerS: 40, multiplyAddGflops: 1 };
const FREE: Cost = { flops: 0, bytesRead: 0, bytesWritten: 0 };
/** A row that never has enough. */
const ENDLESS = { minTimeMs: 1e9, minSamples: 1, maxNoisePct: 0, timeoutS: 1e9 };

interface Script {
  /** What the next sample takes; an error is thrown. */
  readonly sample: (n: number) => Partial<Sample> | Error;
  readonly mode?: Mode;
  readonly hasFlush?: boolean;
  readonly rule?: StopCriteria;
  readonly cost?: Cost;
  readonly turns?: number;
}

/** Measures an addition whose samples take what a script says; gives the result and what was evicted. */
async function measured(script: Script) {
  const device = await sharedDevice();
  const { sample, mode = "hot", rule = ENDLESS, cost = FREE, turns = 1 } = script;
  const evicted: (Dispatch | undefined)[] = [];
  const calls: string[] = [];
  const timer: Pick<Timer, "sample" | "warmUp"> = {
    warmUp: () => Promise.resolve(void calls.push("warm up")),
    sample: (dispatches, evict) => {
      device.run(dispatches);
      const found = sample(evicted.push(evict) - 1);
      calls.push("sample");
      if (found instanceof Error) return Promise.reject(found);
      return Promise.resolve({ gpuUs: 100, hostUs: 100, submitUs: 1, ...found });
    },
  };
  const session: Partial<Session> = {
    device,
    timer: timer as Timer,
    ceilings: CEILINGS,
    raiseCeilings: () => {
      calls.push("ceilings");
      return Promise.resolve(CEILINGS);
    },
  };
  const own = operation(KERNELS.add, { tokens: 1, columns: 4 });
  using workload = new Workload(device, [own], { seed: 1 });
  const setting = {
    ...{ session, rule, seed: 1, memoryBytes: 0 },
    cacheFlush: script.hasFlush ? { dispatch: FLUSH } as unknown as CacheFlush : undefined,
    edgeChecks: new EdgeChecks(device),
  } as unknown as KernelsSetting;
  const choice = { name: "best", pick: new Map([[own, own.variants[0]!]]) };
  using one = await Measurement.start(setting, workload, { choice, mode, case: CASE, cost });
  const counts: number[] = [];
  for (let i = 0; i < turns; i++) {
    const before = evicted.length;
    await one.turn();
    counts.push(evicted.length - before);
  }
  const isOpen = one.open;
  return { result: await one.finish(), counts, evicted, calls, isOpen };
}

Deno.test("a turn takes five samples, or as many as begin within 20 ms", async () => {
  const counted = async (hostUs: number) => {
    const { result } = await measured({ sample: () => ({ hostUs }) });
    return result.samples.length;
  };
  assertEquals(await counted(3000), 5);
  assertEquals(await counted(8000), 3);
  assertEquals(await counted(10_000), 2);
  assertEquals(await counted(50_000), 1);
});

Deno.test("a turn of a short hot measurement begins with a run that does not count", async () => {
  const first = await measured({ sample: (n) => ({ hostUs: n === 0 ? 77 : 100 }), turns: 2 });
  assertEquals(first.counts, [6, 6]);
  assertEquals(first.result.samples.map(({ hostUs }) => hostUs), new Array(10).fill(100));
  // The last sample took 20 ms: what others left in the caches matters no more.
  const long = await measured({ sample: () => ({ hostUs: 20_000 }), turns: 2 });
  assertEquals(long.counts, [2, 1]);
  const cold = await measured({ sample: () => ({}), mode: "cold", hasFlush: true });
  assertEquals([cold.counts, cold.evicted], [[5], new Array(5).fill(FLUSH)]);
  const hot = await measured({ sample: () => ({}), hasFlush: true });
  assertEquals([hot.counts, hot.evicted], [[6], new Array(6).fill(undefined)]);
});

Deno.test("a measurement ends for the reason of its rule, with the rounds of its samples", async () => {
  const rule = { minTimeMs: 0, minSamples: 2, maxNoisePct: 1, timeoutS: 100 };
  const still = await measured({ sample: () => ({}), rule, turns: 2 });
  assertEquals([still.isOpen, still.result.stopReason], [false, "noise_target"]);
  assertEquals(still.result.rounds, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  const more = await measured({ sample: () => ({}) });
  assertEquals([more.isOpen, more.result.stopReason, more.result.status], [true, undefined, "ok"]);
  // What the clock of the row says counts, what the host says is spent.
  const spent = await measured({
    sample: () => ({ gpuUs: 1, hostUs: 15_000 }),
    rule: { ...ENDLESS, timeoutS: 0.029 },
  });
  assertEquals([spent.result.samples.length, spent.result.stopReason], [2, "timeout"]);
});

Deno.test("a row at 110 % of its ceiling is right, one above it fails once ceilings were measured again", async () => {
  // 100 us at 1e9 operations a second are 100 000; the middle sample decides.
  const of = (flops: number) =>
    measured({
      sample: (n) => ({ gpuUs: [7, 50, 100, 100, 500, 900][n]! }),
      cost: { flops, bytesRead: 0, bytesWritten: 0 },
    });
  const [at, above] = [await of(110_000), await of(110_001)];
  assertEquals([at.result.status, at.result.reason], ["ok", ""]);
  assert(!at.calls.includes("ceilings"));
  assertEquals([above.result.status, above.result.reason], [
    "failed",
    "110 % of its ceiling: the cost model or the timer is wrong",
  ]);
  assertEquals(above.calls.filter((call) => call === "ceilings").length, 1);
});

Deno.test("a result says what bounds its mode, what it cost and how it was checked", async () => {
  const cost = { flops: 1, bytesRead: 2, bytesWritten: 3 };
  const { result, calls } = await measured({ sample: () => ({}), cost });
  const { firstDispatchMs, pipelineMs, samples, ...rest } = result;
  assertEquals(rest, {
    case: CASE,
    variant: "best",
    shaders: ["add/naive"],
    mode: "hot",
    status: "ok",
    reason: "",
    stopReason: undefined,
    rounds: [0, 0, 0, 0, 0],
    wrongElements: 0,
    maxAbsError: rest.maxAbsError,
    tolerance: rest.tolerance,
    cost,
    ceilings: { ceiling_gflops: 1, ceiling_gbytes_per_s: 40 },
  });
  assert(rest.tolerance! > 0 && rest.maxAbsError! <= rest.tolerance!);
  assert(firstDispatchMs! > 0 && firstDispatchMs! < 60_000 && pipelineMs! > 0);
  assertEquals([samples.length, calls[0]], [5, "warm up"]);
  const cold = await measured({ sample: () => ({}), mode: "cold" });
  assertEquals(cold.result.ceilings, { ceiling_gflops: 1, ceiling_gbytes_per_s: 10 });
});

Deno.test("an error of the device fails its row, with the samples so far; others end the run", async () => {
  const short = new DeviceError("OutOfMemory", "Cannot allocate\nmore");
  const failed = await measured({ sample: (n) => n < 8 ? {} : short, turns: 2 });
  assertEquals([failed.isOpen, failed.result.status, failed.result.reason], [
    false,
    "failed",
    "Cannot allocate",
  ]);
  assertEquals([failed.result.samples.length, failed.result.wrongElements], [5, 0]);
  await assertRejects(() => measured({ sample: () => new TypeError("a bug") }), TypeError, "a bug");
  const lost = new DeviceError("DeviceLost", "lost");
  await assertRejects(() => measured({ sample: () => lost }), DeviceError, "lost");
});

Deno.test("a sample is untimed where the adapter's clock should have timed it", () => {
  const none = { gpuUs: undefined, hostUs: 1, submitUs: 1 };
  assertEquals([isUntimed(none, "gpu"), isUntimed(none, "host")], [true, false]);
  assertEquals(isUntimed({ ...none, gpuUs: 1 }, "gpu"), false);
});

Deno.test("no sample, no ceiling: a row that failed at its first turn says only why", async () => {
  const device: Device = await sharedDevice();
  const { result, calls } = await measured({
    sample: () => new DeviceError("Internal", "first"),
    cost: { flops: 1e12, bytesRead: 0, bytesWritten: 0 },
  });
  assertEquals([result.status, result.reason, result.samples], ["failed", "first", []]);
  assert(!calls.includes("ceilings"));
  device.errors.check();
});
