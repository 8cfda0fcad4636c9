import { assertEquals, assertStringIncludes } from "@std/assert";
import { Measurement, type Mode } from "../../../bench/suites/kernels/measurement.ts";
import { type Ceilings, higherCeilings } from "../../../bench/measure/ceilings.ts";
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

const BOUNDLESS = { copyGbytesPerS: 1e9, cachedGbytesPerS: 1e9, multiplyAddGflops: 1e9 };

/** Starts, takes a turn of and finishes the measurement of one operation with a variant. */
async function measure(
  own: Operation,
  variant: OperationVariant,
  { timer, ceilings = BOUNDLESS, again = ceilings, mode = "hot" }: {
    readonly timer: Timer;
    readonly ceilings?: Ceilings;
    /** What the ceilings are when they are measured again. */
    readonly again?: Ceilings;
    readonly mode?: Mode;
  },
) {
  const device = await sharedDevice();
  using workload = new Workload(device, [own], { seed: 1 });
  let known = ceilings;
  const session: Pick<Session, "device" | "timer" | "ceilings" | "raiseCeilings"> = {
    device,
    timer,
    get ceilings() {
      return known;
    },
    raiseCeilings: () => Promise.resolve(known = higherCeilings(known, again)),
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
    mode,
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
  const result = await measure(own, own.variants[0]!, { timer: backwards });
  assertEquals(result.status, device.clock === "gpu" ? "failed" : "ok");
  assertEquals(result.samples.length, 5);
  if (device.clock === "gpu") assertStringIncludes(result.reason, "clock ran backwards");
  assertEquals((await measure(own, own.variants[0]!, { timer: real })).status, "ok");
});

Deno.test("a row above its ceiling fails, hot against that of caches, cold against that of memory", async () => {
  const device = await sharedDevice();
  using timer = await new Timer(device).ready();
  const own = operation(KERNELS.add, { tokens: 3, columns: 8 });
  const status = async (mode: Mode, low: Partial<Ceilings>, again: Partial<Ceilings> = low) => {
    const measured = { ...BOUNDLESS, ...low };
    const options = { timer, mode, ceilings: measured, again: { ...measured, ...again } };
    const { status, reason } = await measure(own, own.variants[0]!, options);
    return reason.includes("% of its ceiling") ? status : "";
  };
  assertEquals(await status("hot", { cachedGbytesPerS: 1e-9 }), "failed");
  assertEquals(await status("hot", { copyGbytesPerS: 1e-9 }), "");
  assertEquals(await status("cold", { copyGbytesPerS: 1e-9 }), "failed");
  assertEquals(await status("cold", { cachedGbytesPerS: 1e-9 }), "");
  assertEquals(await status("hot", { multiplyAddGflops: 1e-9 }), "failed");
  const busy = { multiplyAddGflops: 1e-9, cachedGbytesPerS: 1e-9 };
  assertEquals(await status("hot", busy, { multiplyAddGflops: 1e9 }), "failed");
  assertEquals(await status("hot", busy, BOUNDLESS), "", "ceilings that were too low are raised");
});

Deno.test.afterAll(closeSharedDevice);
