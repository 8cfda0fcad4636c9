import { assertEquals } from "@std/assert";
import { plantFaults } from "../../../bench/measure/planted_faults.ts";
import { Verifier } from "../../../bench/measure/verifier.ts";
import { Workload } from "../../../bench/measure/workload.ts";
import { operation } from "../../../kernels/operation.ts";
import { KERNELS } from "../../../kernels/registry.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test("the checks of measured rows catch every planted fault", async () => {
  const faults = await plantFaults(await sharedDevice());
  assertEquals(faults.map(({ name, caught }) => [name, caught]), [
    ["no-op kernel", true],
    ["wrong element", true],
    ["no finite number", true],
    ["stale output", true],
    ["race", true],
    ["mutated input", true],
    ["factor off by 1 %", true],
    ["no append to the KV cache", true],
    ["stale KV cache", true],
    ["last of ties", true],
    ["softmax without its largest", true],
    ["attention without its largest", true],
    ["positions above 1000", true],
    ["ignored window", true],
    ["rows of other shards", true],
    ["clock backwards", true],
  ]);
});

Deno.test("every word that an iteration leaves wrong is counted, once, and nothing that is right", async () => {
  const device = await sharedDevice();
  const shape = { tokens: 5, columns: 67 }; // rows are padded to 68 words
  using workload = new Workload(device, [operation(KERNELS.add, shape)], { seed: 3 });
  const dispatches = workload.bind(() => workload.operations[0]!.variants[0]!);
  workload.poison();
  device.run(dispatches);
  using verifier = new Verifier(device, workload);
  const counted = async (runs: number, isRun: boolean) => {
    for (let i = 0; i < runs; i++) {
      if (isRun) device.run(dispatches);
      verifier.queue();
    }
    return await verifier.mismatchedWords();
  };
  assertEquals(await counted(3, true), 0);
  // What the verifier poisoned stays where nothing runs: each element is wrong in each iteration.
  assertEquals(await counted(1, false), 5 * 67);
  assertEquals(await counted(2, false), 2 * 5 * 67);
  assertEquals(await counted(1, true), 0);
});

Deno.test.afterAll(closeSharedDevice);
