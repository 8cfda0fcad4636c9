import { assertEquals, assertStringIncludes } from "@std/assert";
import { Measurement } from "../../../bench/suites/kernels/measurement.ts";
import { Timer } from "../../../bench/measure/timer.ts";
import { Workload } from "../../../bench/measure/workload.ts";
import { type Operation, operation, type OperationVariant } from "../../../kernels/operation.ts";
import { KERNELS } from "../../../kernels/registry.ts";
import type { Session } from "../../../bench/measure/session.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";
import { parseModelShape } from "../../../model/shape.ts";

const MODEL = parseModelShape({
  architectures: ["MistralForCausalLM"],
  hidden_size: 64,
  num_attention_heads: 4,
  intermediate_size: 96,
  num_hidden_layers: 1,
  vocab_size: 320,
}, { name: "tiny", path: "tiny" });

const CASE = {
  op: "add",
  dtype: "float32",
  tensorParallelSize: 1,
  tensorParallelRank: 0,
  tokens: 3,
  context: 16,
} as const;

/** Starts, takes a turn of and finishes the measurement of one operation with a variant. */
async function measure(own: Operation, variant: OperationVariant, timer: Timer) {
  const device = await sharedDevice();
  using workload = new Workload(device, [own], { seed: 1 });
  const session: Pick<Session, "device" | "timer" | "ceilings"> = {
    device,
    timer,
    ceilings: { copyGbytesPerS: 1e9, multiplyAddGflops: 1e9 },
  };
  const setting = {
    session: session as Session,
    model: MODEL,
    seed: 1,
    rule: { minTimeMs: 0, minSamples: 1, maxNoisePct: 100, timeoutS: 1 },
    cacheFlush: undefined,
    memoryBytes: 2 ** 30,
  };
  const choice = { name: variant.name, pick: new Map([[own, variant]]) };
  using measurement = await Measurement.start(setting, workload, {
    choice,
    mode: "hot",
    case: CASE,
    cost: own.cost,
  });
  if (measurement.open) await measurement.turn();
  return await measurement.finish();
}

Deno.test("a sample that the adapter's clock gave no time fails its row, with its samples kept", async () => {
  const device = await sharedDevice();
  using real = await new Timer(device).ready();
  const backwards = {
    warmUp: () => Promise.resolve(),
    sample: async (...args: Parameters<Timer["sample"]>) => ({
      ...await real.sample(...args),
      gpuUs: undefined,
    }),
  } as unknown as Timer;
  const own = operation(KERNELS.add, { tokens: 3, columns: 8 });
  const result = await measure(own, own.variants[0]!, backwards);
  assertEquals(result.status, device.clock === "gpu" ? "failed" : "ok");
  assertEquals(result.samples.length, 5);
  if (device.clock === "gpu") assertStringIncludes(result.reason, "clock ran backwards");
  assertEquals((await measure(own, own.variants[0]!, real)).status, "ok");
});

Deno.test.afterAll(closeSharedDevice);
