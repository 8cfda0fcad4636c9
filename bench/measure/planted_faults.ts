import type { Device } from "../../device/device.ts";
import { type Binding, type Program, shaderText } from "../../device/program.ts";
import { TimestampBatch } from "../../device/timestamps.ts";
import { attentionModule } from "../../kernels/modules.ts";
import { type Operation, operation, type OperationVariant } from "../../kernels/operation.ts";
import { KERNELS } from "../../kernels/registry.ts";
import { EdgeChecks } from "./edge_checks.ts";
import { Verifier } from "./verifier.ts";
import { Workload } from "./workload.ts";

/** A fault planted on purpose, and whether the checks saw it. */
export interface PlantedFault {
  readonly name: string;
  readonly caught: boolean;
  /** Which check saw it. */
  readonly how: string;
}

/** Rows and columns of the addition that most faults are planted in. */
const ADD = operation(KERNELS.add, { tokens: 4, columns: 64 });
const ATTENTION = { heads: 4, kvHeads: 2, headSize: 16 };
const STORE = "out[i] = a[i] + b[i];";

/** A variant with another text; an edit that changes nothing plants nothing. */
function faulty(own: Operation, edit: (wgsl: string) => string): OperationVariant {
  const right = own.variants[0]!;
  const program = right.program();
  const text = edit(shaderText(program));
  if (text === shaderText(program)) {
    throw new Error(`Cannot plant a fault in "${own.kernel}": the shader has changed`);
  }
  const wgsl = [{ file: "bench/measure/planted_faults.ts", text }];
  return { ...right, program: () => ({ ...program, wgsl }) };
}

/** An operation, a piece of its naive shader and what stands in its place, by the name of the fault. */
const EDGE_FAULTS: Readonly<Record<string, readonly [Operation, string, string]>> = {
  "last of ties": [
    operation(KERNELS.argmax, { rows: 3, columns: 40 }),
    "value > most",
    "value >= most",
  ],
  "softmax without its largest": [
    operation(KERNELS.softmax, { rows: 3, columns: 40 }),
    "most = max(most, x[first + i / 4u][i % 4u]);",
    "most = 0.0;",
  ],
  "attention without its largest": [
    operation(KERNELS.attention, {
      ...{ ...ATTENTION, tokens: 2, maxNumSeqs: 1, context: 40, qColumns: 64 },
    }),
    "most = max(most, score(query, start + s * cache_stride()));",
    "most = 0.0;",
  ],
  "positions above 1000": [
    operation(KERNELS.rope, {
      ...{ tokens: 2, heads: 2, headSize: 16, xColumns: 32, context: 40, theta: 1e4 },
    }),
    "let angle = positions[id.y]",
    "let angle = min(positions[id.y], 1000u)",
  ],
  "ignored window": [
    operation(KERNELS.attention, {
      ...{ ...ATTENTION, tokens: 2, maxNumSeqs: 1, context: 40, qColumns: 64 },
    }),
    "return max(last + 1u, WINDOW) - WINDOW;",
    "return 0u;",
  ],
  "rows of other shards": [
    operation(KERNELS.embedding, { tokens: 2, columns: 8, vocabStart: 0, rows: 9, dtype: "int8" }),
    "let row = ids[id.y] - VOCAB_START;",
    "let row = (ids[id.y] - VOCAB_START) % ROWS;",
  ],
};

/**
 * Plants faults, one of each kind, and runs each through the same checks as every measured row: float64
 * with poisoned outputs, an operation at a time; word-by-word verification of every iteration; edge
 * cases; and inputs compared with what was uploaded.
 */
export async function plantFaults(device: Device): Promise<readonly PlantedFault[]> {
  using workload = new Workload(device, [ADD], { seed: 1 });
  const right = ADD.variants[0]!;
  const inAdd = (text: string) => faulty(ADD, (wgsl) => wgsl.replace(STORE, text));
  const once = async (variant: OperationVariant) => {
    workload.restoreInputs();
    workload.poison();
    device.run(workload.bind(() => variant));
    return await workload.check();
  };
  const verified = async (variant: OperationVariant, runs: number) => {
    await once(right);
    using verifier = new Verifier(device, workload);
    const dispatches = workload.bind(() => variant);
    for (let i = 0; i < runs; i++) {
      device.run(dispatches);
      verifier.queue();
    }
    return await verifier.mismatchedWords();
  };
  const noOp = await once(inAdd(""));
  const wrong = await once(inAdd(`${STORE} if (i == 37u) { out[i] += 0.001; }`));
  const infinite = await once(
    inAdd(`${STORE} if (i == 37u) { out[i] = bitcast<f32>(u32(i) + 0x7f7fffdbu); }`),
  );
  // Writes nothing after a right run: only poison between iterations tells it from a fast kernel.
  const stale = await verified(inAdd(""), 3);
  // Every invocation of a row stores to its first element, and each reads before it stores.
  const race = await verified(
    inAdd(`${STORE} out[id.y * STRIDE] = out[id.y * STRIDE] + a[i];`),
    3,
  );
  const faults: PlantedFault[] = [
    { name: "no-op kernel", caught: noOp.wrongElements > 0, how: "poisoned output, float64" },
    { name: "wrong element", caught: wrong.wrongElements === 1, how: "float64, every element" },
    { name: "no finite number", caught: infinite.wrongElements === 1, how: "float64" },
    { name: "stale output", caught: stale > 0, how: "verified iterations, poison between" },
    { name: "race", caught: race > 0, how: "verified iterations" },
    {
      name: "mutated input",
      caught: await mutatesInput(device),
      how: "inputs compared after the run",
    },
    {
      name: "factor off by 1 %",
      caught: await scalesScores(device),
      how: "float64, an operation at a time",
    },
    ...await leavesCache(device),
  ];
  const edgeChecks = new EdgeChecks(device);
  for (const [name, [own, text, fault]] of Object.entries(EDGE_FAULTS)) {
    const failure = await edgeChecks.failure(own, faulty(own, (wgsl) => wgsl.replace(text, fault)));
    const how = `edge cases: ${failure?.edgeCase ?? "none"}`;
    faults.push({ name, caught: failure !== undefined, how });
  }
  const [duration] = TimestampBatch.durationsUs(BigUint64Array.of(2000n, 1000n).buffer);
  const how = "timestamps: no time, the row fails";
  return [...faults, { name: "clock backwards", caught: duration === undefined, how }];
}

/** Runs a kernel that overwrites its own input. */
async function mutatesInput(device: Device): Promise<boolean> {
  using workload = new Workload(device, [ADD], { seed: 2 });
  const mutating = faulty(
    ADD,
    (wgsl) =>
      wgsl.replace("var<storage, read> a", "var<storage, read_write> a")
        .replace(STORE, `${STORE} a[i] = 0.0;`),
  ).program();
  const bindings = mutating.bindings.map((binding): Binding =>
    binding.name === "a" ? { ...binding, access: "read_write" } : binding
  );
  const program: Program = { ...mutating, bindings };
  device.run(
    workload.bind(() => ({ name: "faulty", unsupported: undefined, program: () => program })),
  );
  return (await workload.mutatedInputs()).includes("a");
}

/** A layer's attention, its last token at position 39. */
function attentionLayer(): readonly Operation[] {
  return attentionModule({
    ...{ ...ATTENTION, tokens: 2, hidden: 64, context: 40, theta: 1e4, bias: false },
    ...{ dtype: "float32", maxStorageBufferBindingSize: 2 ** 20 },
  });
}

/** Runs a layer whose scores are 1 % too large. */
async function scalesScores(device: Device): Promise<boolean> {
  using workload = new Workload(device, attentionLayer(), { seed: 3 });
  workload.poison();
  device.run(workload.bind(({ kernel, variants }) => {
    const [naive] = variants;
    const program = naive!.program();
    if (kernel !== "attention") return naive!;
    const constants = { ...program.constants, SCALE: program.constants["SCALE"]! * 1.01 };
    return { ...naive!, program: () => ({ ...program, constants }) };
  }));
  return (await workload.check()).wrongElements > 0;
}

/** Runs a layer that leaves out its append to the KV cache: from the first run on, and in the second. */
async function leavesCache(device: Device): Promise<readonly PlantedFault[]> {
  using workload = new Workload(device, attentionLayer(), { seed: 4 });
  const all = workload.bind(({ variants }) => variants[0]!);
  const without = all.filter(({ program }) => !program.name.startsWith("kv_append"));
  workload.poison();
  device.run(without);
  const first = await workload.check();
  workload.poison();
  device.run(all);
  const right = await workload.check();
  using verifier = new Verifier(device, workload);
  device.run(without);
  verifier.queue();
  const second = await verifier.mismatchedWords();
  return [
    {
      name: "no append to the KV cache",
      caught: first.wrongElements > 0 && right.wrongElements === 0,
      how: "poisoned cache, float64",
    },
    { name: "stale KV cache", caught: second > 0, how: "verified iterations, poison between" },
  ];
}
