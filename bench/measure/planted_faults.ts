import type { Device } from "../../device/device.ts";
import { type Binding, type Program, shaderText } from "../../device/program.ts";
import { operation, type OperationVariant } from "../../kernels/operation.ts";
import { KERNELS } from "../../kernels/registry.ts";
import { Verifier } from "./verifier.ts";
import { Workload } from "./workload.ts";

/** A fault planted on purpose, and whether the checks saw it. */
export interface PlantedFault {
  readonly name: string;
  readonly caught: boolean;
  /** Which check saw it. */
  readonly how: string;
}

/** Rows and columns of the addition that the faults are planted in. */
const SHAPE = { tokens: 4, columns: 64 };

function edited(variant: OperationVariant, edit: (wgsl: string) => string): OperationVariant {
  return { ...variant, program: () => faulty(variant.program(), edit) };
}

/** A program with another text; an edit that changes nothing plants nothing. */
function faulty(program: Program, edit: (wgsl: string) => string): Program {
  const text = edit(shaderText(program));
  if (text === shaderText(program)) {
    throw new Error("Cannot plant the fault: the shader has changed");
  }
  return { ...program, wgsl: [{ file: "bench/measure/planted_faults.ts", text }] };
}

const STORE = "out[i] = a[i] + b[i];";

/**
 * Plants a no-op kernel, a wrong element, a stale output, a race and a mutated input, and runs each
 * through the same checks as every measured row: float64 with poisoned outputs, word-by-word
 * verification of every iteration, and inputs compared with what was uploaded.
 */
export async function plantFaults(device: Device): Promise<readonly PlantedFault[]> {
  using workload = new Workload(device, [operation(KERNELS.add, SHAPE)], { seed: 1 });
  const right = workload.operations[0]!.variants[0]!;
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
  const noOp = await once(edited(right, (w) => w.replace(STORE, "")));
  const wrong = await once(
    edited(right, (w) => w.replace(STORE, `${STORE} if (i == 37u) { out[i] += 0.001; }`)),
  );
  // Writes nothing after a right run: only poison between iterations tells it from a fast kernel.
  const stale = await verified(edited(right, (w) => w.replace(STORE, "")), 3);
  // Every invocation of a row stores to its first element, and each reads before it stores.
  const race = await verified(
    edited(
      right,
      (w) => w.replace(STORE, `${STORE} out[id.y * STRIDE] = out[id.y * STRIDE] + a[i];`),
    ),
    3,
  );
  const mutated = await mutatesInput(device);
  return [
    { name: "no-op kernel", caught: noOp.wrongElements > 0, how: "poisoned output, float64" },
    { name: "wrong element", caught: wrong.wrongElements === 1, how: "float64, every element" },
    { name: "stale output", caught: stale > 0, how: "verified iterations, poison between" },
    { name: "race", caught: race > 0, how: "verified iterations" },
    { name: "mutated input", caught: mutated, how: "inputs compared after the run" },
  ];
}

/** Runs a kernel that overwrites its own input. */
async function mutatesInput(device: Device): Promise<boolean> {
  const right = operation(KERNELS.add, SHAPE);
  using workload = new Workload(device, [right], { seed: 2 });
  const program = right.variants[0]!.program();
  const mutating = faulty(
    program,
    (wgsl) =>
      wgsl.replace("var<storage, read> a", "var<storage, read_write> a")
        .replace(STORE, `${STORE} a[i] = 0.0;`),
  );
  const bindings = program.bindings.map((binding): Binding =>
    binding.name === "a" ? { ...binding, access: "read_write" } : binding
  );
  device.run(
    workload.bind(() => ({
      name: "faulty",
      unsupported: undefined,
      program: () => ({ ...mutating, bindings }),
    })),
  );
  return (await workload.mutatedInputs()).includes("a");
}
