import { assertEquals, assertRejects } from "@std/assert";
import type { Timer } from "../../../bench/measure/timer.ts";
import { Tuner } from "../../../bench/measure/tuner.ts";
import { TuningStore } from "../../../bench/measure/tuning_store.ts";
import { operation } from "../../../kernels/operation.ts";
import { KERNELS } from "../../../kernels/registry.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test.afterAll(closeSharedDevice);

const SOFTMAX = operation(KERNELS.softmax, { rows: 2, columns: 8 });
const NAMES = SOFTMAX.variants.map(({ name }) => name);

/** Tunes a softmax whose variants take what a script says, in us by run; gives runs, times and choice. */
async function tuned(timesUs: Readonly<Record<string, (run: number) => number>>) {
  const device = await sharedDevice();
  const runs: string[] = [];
  const counts: Record<string, number> = {};
  const timer: Pick<Timer, "sample"> = {
    sample: ([dispatch]) => {
      const name = dispatch!.program.name.split("/")[1]!;
      runs.push(name);
      const run = counts[name] = (counts[name] ?? -1) + 1;
      const gpuUs = run === 0 ? 1e9 : timesUs[name]!(run - 1);
      return Promise.resolve({ gpuUs, hostUs: 1, submitUs: 1 });
    },
  };
  const noted: Readonly<Record<string, number>>[] = [];
  const store = TuningStore.open(device.identity);
  const note = store.noteVariants.bind(store);
  store.noteVariants = (shapeClass, tried) => {
    assertEquals(shapeClass, SOFTMAX.shapeClass);
    assertEquals(Object.keys(tried.shaders), NAMES);
    noted.push(tried.timesUs);
    return note(shapeClass, tried);
  };
  const tuner = new Tuner(device, timer as Timer, store);
  const best = await tuner.best(SOFTMAX);
  return { best: best.name, runs, times: noted[0]!, tuner };
}

Deno.test("candidates are timed in three rounds, naive last, each after a run that does not count", async () => {
  assertEquals(NAMES, ["naive", "vector", "split_row", "workgroup_row"]);
  const found = await tuned({
    naive: (run) => [50, 49, 51][run]!,
    vector: (run) => [40, 30, 35][run]!,
    split_row: () => 33,
    workgroup_row: (run) => [80, 29, 90][run]!,
  });
  assertEquals(found.times, { vector: 30, split_row: 33, workgroup_row: 29, naive: 49 });
  assertEquals(found.best, "workgroup_row");
  const order = ["vector", "split_row", "workgroup_row", "naive"];
  assertEquals(found.runs, [...order.flatMap((name) => [name, name]), ...order, ...order]);
  assertEquals((await found.tuner.best(SOFTMAX)).name, "workgroup_row");
  assertEquals(found.runs.length, 16, "known from now on");
});

Deno.test("a candidate that takes more than eight times the best is not tried again", async () => {
  const { runs, times } = await tuned({
    naive: () => 81,
    vector: () => 10,
    split_row: () => 80,
    workgroup_row: () => 80.5,
  });
  const count = (name: string) => runs.filter((one) => one === name).length;
  assertEquals(NAMES.map(count), [2, 4, 4, 2]);
  assertEquals(times, { vector: 10, split_row: 80, workgroup_row: 80.5, naive: 81 });
});

Deno.test("where the best takes more than 100 ms one round will do, and naive is left out", async () => {
  const all = (us: number) => Object.fromEntries(NAMES.map((name) => [name, () => us]));
  const long = await tuned(all(100_001));
  assertEquals(
    long.runs,
    ["vector", "vector", "split_row", "split_row"].concat(
      ["workgroup_row", "workgroup_row"],
    ),
  );
  assertEquals(Object.keys(long.times), ["vector", "split_row", "workgroup_row"]);
  assertEquals((await tuned(all(100_000))).runs.length, 16);
});

Deno.test("what is alone is not timed, and what no variant supports is refused", async () => {
  const device = await sharedDevice();
  const timer = {} as Timer;
  const tuner = new Tuner(device, timer, TuningStore.open(device.identity));
  const [naive, ...others] = SOFTMAX.variants;
  const unsupported = others.map((variant) => ({ ...variant, unsupported: "too wide" }));
  assertEquals(
    (await tuner.best({ ...SOFTMAX, variants: [naive!, ...unsupported] })).name,
    "naive",
  );
  await assertRejects(
    () => tuner.best({ ...SOFTMAX, variants: unsupported }),
    RangeError,
    'Cannot run "softmax": no variant supports its shape',
  );
});
