import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Binding, shaderText } from "../../../device/program.ts";
import { Measurement, type Mode } from "../../../bench/suites/kernels/measurement.ts";
import { type Ceilings, higherCeilings } from "../../../bench/measure/ceilings.ts";
import { EdgeChecks } from "../../../bench/measure/edge_checks.ts";
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

interface Options {
  readonly timer: Timer;
  readonly ceilings?: Ceilings;
  /** What the ceilings are when they are measured again. */
  readonly again?: Ceilings;
  readonly mode?: Mode;
}

/** Starts, takes a turn of and finishes the measurement of one operation with a variant. */
async function measure(own: Operation, variant: OperationVariant, options: Options) {
  return (await measureAll(own, [variant], options))[0]!;
}

/** Does so with several variants that take turns over the same tensors. */
async function measureAll(
  own: Operation,
  variants: readonly OperationVariant[],
  { timer, ceilings = BOUNDLESS, again = ceilings, mode = "hot" }: Options,
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
    edgeChecks: new EdgeChecks(device),
    memoryBytes: 2 ** 30,
  };
  await using stack = new AsyncDisposableStack();
  const measurements: Measurement[] = [];
  for (const variant of variants) {
    const choice = { name: variant.name, pick: new Map([[own, variant]]) };
    const what = { choice, mode, case: CASE, cost: own.cost };
    measurements.push(stack.use(await Measurement.start(setting, workload, what)));
  }
  for (const measurement of measurements) if (measurement.open) await measurement.turn();
  return await Array.fromAsync(measurements, (measurement) => measurement.finish());
}

/** The variant of `add` with another statement behind its own, for which `a` can be written. */
function writesInput(own: Operation, statement: string): OperationVariant {
  const variant = own.variants[0]!;
  const program = variant.program();
  const text = shaderText(program).replace("var<storage, read> a", "var<storage, read_write> a")
    .replace("out[i] = a[i] + b[i];", (store) => `let before = out[i]; ${store} ${statement}`);
  const bindings = program.bindings.map((binding): Binding =>
    binding.name === "a" ? { ...binding, access: "read_write" } : binding
  );
  const wgsl = [{ file: "measurement_test.ts", text }];
  return { ...variant, name: "faulty", program: () => ({ ...program, bindings, wgsl }) };
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
  if (device.clock === "gpu") {
    assertStringIncludes(result.reason, "clock stood still or ran backwards");
  }
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

Deno.test("a variant that changes its inputs fails by name, is wrong where its output is, and spoils no other", async () => {
  const device = await sharedDevice();
  using timer = await new Timer(device).ready();
  const own = operation(KERNELS.add, { tokens: 3, columns: 8 });
  const [naive, vector] = own.variants;
  const rows = async (statement: string) => {
    const faulty = writesInput(own, statement);
    const found = await measureAll(own, [naive!, faulty, vector!], { timer });
    return found.map(({ status, reason }) => `${status} ${reason}`);
  };
  assertEquals(await rows("a[i] = 0.0;"), ["ok ", "failed it changed its inputs a", "ok "]);
  assertEquals(await rows("a[i] = 0.0; out[i] += 1.0;"), [
    "ok ",
    "wrong 48 wrong elements; it changed its inputs a",
    "ok ",
  ]);
  const later = "if (bitcast<u32>(before) != 0x7fc0deadu) { a[i] = 0.0; }";
  assertEquals(await rows(later), ["ok ", "failed it changed its inputs a", "ok "], "not at first");
  assertEquals(await rows("a[i] = a[i];"), ["ok ", "ok ", "ok "], "writable, and left as it was");
});

Deno.test("a variant that is right in its measured run and wrong on ties is wrong, and says where", async () => {
  const device = await sharedDevice();
  using timer = await new Timer(device).ready();
  const own = operation(KERNELS.argmax, { rows: 3, columns: 40 });
  const [naive] = own.variants;
  const program = naive!.program();
  const text = shaderText(program).replace("value > most", "value >= most");
  const last = { ...naive!, program: () => ({ ...program, wgsl: [{ file: "test", text }] }) };
  const result = await measure(own, last, { timer });
  assertEquals(result.status, "wrong");
  assertStringIncludes(result.reason, "wrong on ties");
  assertEquals((await measure(own, naive!, { timer })).status, "ok");
});

Deno.test.afterAll(closeSharedDevice);
