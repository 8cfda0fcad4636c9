import { type Cost, tensorBytes } from "../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../kernels/operation.ts";
import { caseOperations, type KernelCase, MODULE_OPS } from "./kernel_cases.ts";
import {
  type Choice,
  type KernelResult,
  type KernelsSession,
  Measurement,
  type Mode,
} from "./measurement.ts";
import { Workload } from "./workload.ts";

/** Which variants to measure. */
export type VariantChoice = "best" | "all" | readonly string[];

/** Names of the variants that a case can be asked for. */
export function variantNames(operations: readonly Operation[], isModule: boolean): string[] {
  if (isModule) return ["naive", "best"];
  return operations[0]!.variants.map((variant) => variant.name);
}

async function choices(
  session: KernelsSession,
  operations: readonly Operation[],
  wanted: { readonly variants: VariantChoice; readonly isModule: boolean },
): Promise<{ chosen: Choice[]; missing: string[] }> {
  const best = new Map<Operation, OperationVariant>();
  const useBest = wanted.variants !== "all" || wanted.isModule;
  if (useBest) { for (const o of operations) best.set(o, await session.tuner.best(o)); }
  if (wanted.variants === "best") {
    const name = wanted.isModule ? "best" : best.get(operations[0]!)!.name;
    return { chosen: [{ name, pick: best }], missing: [] };
  }
  const names = wanted.variants === "all"
    ? variantNames(operations, wanted.isModule)
    : wanted.variants;
  const chosen: Choice[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const pick = new Map<Operation, OperationVariant>();
    let found = name === "best";
    for (const o of operations) {
      const named = o.variants.find((v) => v.name === name && v.unsupported === undefined);
      if (named) found = true;
      pick.set(o, named ?? best.get(o) ?? o.variants[0]!);
    }
    if (found) chosen.push({ name, pick });
    else missing.push(name);
  }
  return { chosen, missing };
}

/** Measures every wanted variant of a case, samples of the variants interleaved in seeded order. */
export async function measureCase(
  session: KernelsSession,
  case_: KernelCase,
  wanted: {
    readonly variants: VariantChoice;
    readonly modes: readonly Mode[];
    readonly keep: (variant: string, mode: Mode) => boolean;
    readonly signal: AbortSignal | undefined;
  },
): Promise<readonly KernelResult[]> {
  const { device } = session;
  const isModule = (MODULE_OPS as readonly string[]).includes(case_.op);
  const operations = caseOperations(case_, session.model, device.bindingBytes);
  const cost = totalCost(operations);
  const blank = {
    case: case_,
    cost,
    stopReason: undefined,
    samples: [],
    wrongElements: undefined,
    maxAbsError: undefined,
    tolerance: undefined,
    verifiedIterations: 0,
    ceilingPct: undefined,
    firstDispatchMs: undefined,
    pipelineMs: undefined,
  };
  const tooLarge = memoryProblem(session, operations);
  if (tooLarge !== undefined) {
    const names = typeof wanted.variants === "string" ? [wanted.variants] : wanted.variants;
    return names.flatMap((variant) =>
      wanted.modes.map((mode) => ({
        ...blank,
        variant,
        mode,
        status: "skipped" as const,
        reason: tooLarge,
      }))
    );
  }
  const { chosen, missing } = await choices(session, operations, { ...wanted, isModule });
  const results: KernelResult[] = missing.flatMap((variant) =>
    wanted.modes.map((mode) => ({
      ...blank,
      variant,
      mode,
      status: "skipped" as const,
      reason: `"${case_.op}" has no variant of this name for its shape; it has ${
        variantNames(operations, isModule).join(", ")
      }`,
    }))
  );
  const start = performance.now();
  using workload = new Workload(device, operations, { seed: session.seed });
  session.times.setUpMs += performance.now() - start;
  const running: Measurement[] = [];
  for (const choice of chosen) {
    for (const mode of wanted.modes) {
      if (!wanted.keep(choice.name, mode)) continue;
      running.push(await Measurement.start(session, workload, { choice, mode, case: case_, cost }));
    }
  }
  let open = running.filter((m) => m.open);
  for (let round = 0; open.length > 0 && !wanted.signal?.aborted; round++) {
    for (const m of shuffled(open, session.seed + round)) await m.sample();
    open = open.filter((m) => m.open);
  }
  for (const m of running) results.push(await m.finish());
  return results;
}

/** Why the tensors of operations cannot be allocated, said before anything is. */
function memoryProblem(
  { device, memoryBytes }: KernelsSession,
  operations: readonly Operation[],
): string | undefined {
  const bytes = new Map<string, number>();
  for (const { names, tensors } of operations) {
    for (const [name, joint] of Object.entries(names)) {
      bytes.set(joint, tensorBytes(tensors[name]!));
    }
  }
  for (const [name, size] of bytes) {
    if (size > device.bindingBytes) {
      return `"${name}" takes ${size} bytes; the adapter binds at most ${device.bindingBytes}`;
    }
  }
  // Tensors live on the host, for the reference, and on the device, which shares its memory if software.
  const total = 2 * [...bytes.values()].reduce((sum, size) => sum + size, 0);
  return total > memoryBytes
    ? `it needs ${total} bytes of memory; ${memoryBytes} are available`
    : undefined;
}

function totalCost(operations: readonly Operation[]): Cost {
  const sum = { flops: 0, bytesRead: 0, bytesWritten: 0 };
  for (const { cost } of operations) {
    sum.flops += cost.flops;
    sum.bytesRead += cost.bytesRead;
    sum.bytesWritten += cost.bytesWritten;
  }
  return sum;
}

/** The items in an order that the seed decides (Fisher and Yates, with a linear congruence). */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const order = [...items];
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = order.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor(state / 2 ** 32 * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
