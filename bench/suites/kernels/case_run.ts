import { type Cost, tensorBytes } from "../../../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../../../kernels/operation.ts";
import { caseOperations, KERNEL_OPS, type KernelCase } from "../../../model/kernel_ops.ts";
import {
  type KernelResult,
  type KernelsSetting,
  Measurement,
  type Mode,
  type VariantRun,
} from "./measurement.ts";
import type { Session } from "../../measure/session.ts";
import { Workload } from "../../measure/workload.ts";

/** Which variants to measure. */
export type WantedVariants = "best" | "all" | readonly string[];

/** Names of the variants that a case can be asked for. */
function variantNames(operations: readonly Operation[], isModule: boolean): string[] {
  if (isModule) return ["naive", "best"];
  return operations[0]!.variants.map((variant) => variant.name);
}

interface Choice {
  readonly chosen: readonly VariantRun[];
  /** Names that no operation has. */
  readonly missing: readonly string[];
}

async function choices(
  { tuner }: Session,
  operations: readonly Operation[],
  wanted: { readonly variants: WantedVariants; readonly isModule: boolean },
): Promise<Choice> {
  const best = new Map<Operation, OperationVariant>();
  const useBest = wanted.variants !== "all" || wanted.isModule;
  if (useBest) { for (const o of operations) best.set(o, await tuner.best(o)); }
  if (wanted.variants === "best") {
    const name = wanted.isModule ? "best" : best.get(operations[0]!)!.name;
    return { chosen: [{ name, pick: best }], missing: [] };
  }
  const names = wanted.variants === "all"
    ? variantNames(operations, wanted.isModule)
    : wanted.variants;
  const chosen: VariantRun[] = [];
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

/** What is wanted of a case. */
export interface CaseWish {
  readonly variants: WantedVariants;
  readonly modes: readonly Mode[];
  /** Whether a row is still missing. */
  readonly keep: (variant: string, mode: Mode) => boolean;
}

/** A case under way: the measurements of its variants and modes, over one set of tensors. */
export class CaseRun implements Disposable {
  readonly case: KernelCase;
  readonly #workload: Workload | undefined;
  readonly #measurements: readonly Measurement[];
  readonly #unmeasured: readonly KernelResult[];

  private constructor(case_: KernelCase, state: {
    readonly unmeasured: readonly KernelResult[];
    readonly workload?: Workload;
    readonly measurements?: readonly Measurement[];
  }) {
    this.case = case_;
    this.#unmeasured = state.unmeasured;
    this.#workload = state.workload;
    this.#measurements = state.measurements ?? [];
  }

  /** Bytes of the tensors that a case would take, on the host and on the device. */
  static bytes({ session, model }: KernelsSetting, case_: KernelCase): number {
    return tensorsBytes(caseOperations(case_, model, session.device.maxStorageBufferBindingSize))
      .total;
  }

  /** Fills the tensors, compiles and checks every wanted variant; what cannot run is told at the end. */
  static async start(
    setting: KernelsSetting,
    case_: KernelCase,
    wanted: CaseWish,
  ): Promise<CaseRun> {
    const { session, model, seed } = setting;
    const { device } = session;
    const { isModule = false } = KERNEL_OPS[case_.op];
    const operations = caseOperations(case_, model, device.maxStorageBufferBindingSize);
    const cost = totalCost(operations);
    const names = typeof wanted.variants === "string" ? [wanted.variants] : wanted.variants;
    const unmeasured = (
      variants: readonly string[],
      why: Pick<KernelResult, "status" | "reason">,
    ) =>
      variants.flatMap((variant) =>
        wanted.modes.map((mode) => ({ case: case_, cost, variant, mode, ...why, samples: [] }))
      );
    const reason = memoryProblem(setting, operations);
    if (reason !== undefined) {
      return new CaseRun(case_, { unmeasured: unmeasured(names, { status: "skipped", reason }) });
    }
    let choice: Choice;
    try {
      choice = await choices(session, operations, { ...wanted, isModule });
    } catch (error) {
      // The best one cannot be told while one of the candidates fails.
      const reason = device.errors.recover(error);
      return new CaseRun(case_, { unmeasured: unmeasured(names, { status: "failed", reason }) });
    }
    const missing = unmeasured(choice.missing, {
      status: "skipped",
      reason: `"${case_.op}" has no variant of this name for its shape; it has ${
        variantNames(operations, isModule).join(", ")
      }`,
    });
    const workload = session.time.setUp(() => new Workload(device, operations, { seed }));
    const measurements: Measurement[] = [];
    // Where one row of a case is wanted, any variant's row that is there is that one.
    const rivals = wanted.variants === "best" ? variantNames(operations, isModule) : [];
    for (const one of choice.chosen) {
      for (const mode of wanted.modes) {
        if (![one.name, ...rivals].every((name) => wanted.keep(name, mode))) continue;
        const what = { choice: one, mode, case: case_, cost };
        measurements.push(await Measurement.start(setting, workload, what));
      }
    }
    return new CaseRun(case_, { unmeasured: missing, workload, measurements });
  }

  /** Measurements that want more samples. */
  get open(): readonly Measurement[] {
    return this.#measurements.filter((m) => m.open);
  }

  /** Checks again and reports; what was cut off before it had a reason to stop is left out. */
  async finish(): Promise<readonly KernelResult[]> {
    const results = [...this.#unmeasured];
    for (const m of this.#measurements) results.push(await m.finish());
    return results.filter((r) => r.status !== "ok" || r.stopReason !== undefined);
  }

  /** Frees the tensors. */
  [Symbol.dispose](): void {
    for (const m of this.#measurements) m[Symbol.dispose]();
    this.#workload?.[Symbol.dispose]();
  }
}

/** Bytes of all tensors of operations, by joint name, and twice their sum: host and device. */
function tensorsBytes(
  operations: readonly Operation[],
): { readonly byName: ReadonlyMap<string, number>; readonly total: number } {
  const byName = new Map<string, number>();
  for (const { names, tensors } of operations) {
    for (const [name, joint] of Object.entries(names)) {
      byName.set(joint, tensorBytes(tensors[name]!));
    }
  }
  // Tensors live on the host, for the reference, and on the device, which shares its memory if software.
  return { byName, total: 2 * [...byName.values()].reduce((sum, size) => sum + size, 0) };
}

/** Why the tensors of operations cannot be allocated, said before anything is. */
function memoryProblem(
  { session: { device }, memoryBytes }: KernelsSetting,
  operations: readonly Operation[],
): string | undefined {
  const { byName, total } = tensorsBytes(operations);
  for (const [name, size] of byName) {
    if (size > device.maxStorageBufferBindingSize) {
      return `"${name}" takes ${size} bytes; the adapter binds at most ${device.maxStorageBufferBindingSize}`;
    }
  }
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
