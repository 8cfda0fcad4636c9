import type { Device } from "../device/device.ts";
import type { Dispatch } from "../device/dispatch.ts";
import { DeviceError } from "../device/device_error.ts";
import { type Cost, tensorBytes } from "../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../kernels/operation.ts";
import type { ModelShape } from "../model/shape.ts";
import { ceilingPct, type Ceilings } from "./ceilings.ts";
import type { Evictor } from "./evictor.ts";
import { caseOperations, type KernelCase, MODULE_OPS } from "./kernel_cases.ts";
import { type Sample, Stopper, type StopReason, type StopRule, type Timer } from "./measure.ts";
import { summarise } from "./statistics.ts";
import type { Tuner } from "./tuner.ts";
import { Verifier } from "./verifier.ts";
import { Workload } from "./workload.ts";

/** Hot: the same buffers each time. Cold: caches are evicted before each timed pass. */
export type Mode = "hot" | "cold";

/** Which variants to measure. */
export type VariantChoice = "best" | "all" | readonly string[];

/** What a run of the suite shares between its cases. */
export interface KernelsSession {
  readonly device: Device;
  readonly timer: Timer;
  readonly tuner: Tuner;
  readonly ceilings: Ceilings;
  readonly model: ModelShape;
  readonly seed: number;
  readonly rule: StopRule;
  readonly evictor: Evictor | undefined;
  /** Host memory that may be used. */
  readonly memoryBytes: number;
  /** Grows by what is spent on making tensors and sending them to the device. */
  readonly times: { setUpMs: number };
}

/** One measured, checked variant of a case in one mode. */
export interface KernelResult {
  readonly case: KernelCase;
  readonly variant: string;
  readonly mode: Mode;
  readonly status: "ok" | "wrong" | "failed" | "skipped";
  readonly reason: string;
  readonly stopReason: StopReason | undefined;
  readonly samples: readonly Sample[];
  readonly wrongElements: number | undefined;
  readonly maxAbsError: number | undefined;
  readonly tolerance: number | undefined;
  readonly verifiedIterations: number;
  readonly cost: Cost;
  readonly ceilingPct: number | undefined;
  readonly firstDispatchMs: number | undefined;
}

/** A row that reached more than this share of its ceiling is a bug of the model or the timer. */
const CEILING_LIMIT_PCT = 110;

/** Inputs up to this size are compared with what was uploaded; shaders bind weights read-only. */
const MUTATION_BYTES = 2 ** 20;

/** A way to run all operations of a case. */
interface Choice {
  readonly name: string;
  readonly pick: ReadonlyMap<Operation, OperationVariant>;
}

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

/** One variant of a case under way: check, time with every iteration verified, check again. */
class Measurement {
  readonly #session: KernelsSession;
  readonly #workload: Workload;
  readonly #what: { choice: Choice; mode: Mode; case: KernelCase; cost: Cost };
  readonly #samples: Sample[] = [];
  #dispatches: readonly Dispatch[] = [];
  #verifier: Verifier | undefined;
  #stopper: Stopper | undefined;
  #stopReason: StopReason | undefined;
  #failure: string | undefined;
  #wrong = 0;
  #maxAbsError = 0;
  #tolerance = 0;
  #verified = 0;
  #firstDispatchMs = 0;

  private constructor(
    session: KernelsSession,
    workload: Workload,
    what: { choice: Choice; mode: Mode; case: KernelCase; cost: Cost },
  ) {
    this.#session = session;
    this.#workload = workload;
    this.#what = what;
  }

  /** Whether more samples are wanted. */
  get open(): boolean {
    return this.#failure === undefined && this.#wrong === 0 && this.#stopReason === undefined;
  }

  /** Compiles, runs once, checks every element against float64, keeps that output, warms up. */
  static async start(
    session: KernelsSession,
    workload: Workload,
    what: { choice: Choice; mode: Mode; case: KernelCase; cost: Cost },
  ): Promise<Measurement> {
    const measurement = new Measurement(session, workload, what);
    await measurement.#guard(async () => {
      for (const variant of what.choice.pick.values()) {
        await session.device.pipelines.compile(variant.program());
      }
      const dispatches = workload.bind((operation) => what.choice.pick.get(operation)!);
      measurement.#dispatches = dispatches;
      workload.poison();
      const start = performance.now();
      session.device.run(dispatches);
      await session.device.finish();
      measurement.#firstDispatchMs = performance.now() - start;
      await measurement.#check();
      measurement.#verifier = new Verifier(session.device, workload);
      await session.timer.warmUp(dispatches);
      measurement.#stopper = new Stopper(session.rule);
    });
    return measurement;
  }

  /** Takes one sample; its output is verified outside the timed window. */
  async sample(): Promise<void> {
    await this.#guard(async () => {
      const before = this.#what.mode === "cold" ? this.#session.evictor?.dispatch : undefined;
      const sample = await this.#session.timer.sample(this.#dispatches, before);
      this.#verifier!.queue();
      this.#verified++;
      this.#samples.push(sample);
      const times = this.#samples.map((s) => s.gpuUs ?? s.hostUs);
      this.#stopReason = this.#stopper!.next(times, () => summarise(times).noisePct);
    });
  }

  /** Checks again against float64 and reports. */
  async finish(): Promise<KernelResult> {
    const { device, ceilings } = this.#session;
    if (this.#failure === undefined) {
      await this.#guard(async () => {
        this.#wrong += await this.#verifier!.differences();
        this.#workload.poison();
        device.run(this.#dispatches);
        await this.#check();
        const mutated = await this.#workload.mutatedInputs(MUTATION_BYTES);
        if (mutated.length > 0) this.#failure = `it changed its inputs ${mutated.join(", ")}`;
      });
      this.#verifier?.[Symbol.dispose]();
    }
    const times = this.#samples.map((s) => s.gpuUs ?? s.hostUs);
    const share = times.length > 0
      ? ceilingPct(this.#what.cost, summarise(times).median, ceilings)
      : undefined;
    if (share !== undefined && share > CEILING_LIMIT_PCT && this.#what.mode === "cold") {
      this.#failure ??= `${
        share.toFixed(0)
      } % of its ceiling: the cost model or the timer is wrong`;
    }
    const { choice, mode, cost } = this.#what;
    return {
      case: this.#what.case,
      variant: choice.name,
      mode,
      status: this.#failure !== undefined ? "failed" : this.#wrong > 0 ? "wrong" : "ok",
      reason: this.#failure ?? (this.#wrong > 0 ? `${this.#wrong} wrong elements` : ""),
      stopReason: this.#stopReason,
      samples: this.#samples,
      wrongElements: this.#wrong,
      maxAbsError: this.#maxAbsError,
      tolerance: this.#tolerance,
      verifiedIterations: this.#verified,
      cost,
      ceilingPct: share,
      firstDispatchMs: this.#firstDispatchMs,
    };
  }

  async #check(): Promise<void> {
    const found = await this.#workload.check();
    this.#wrong += found.wrongElements;
    this.#maxAbsError = Math.max(this.#maxAbsError, found.maxAbsError);
    this.#tolerance = found.tolerance;
  }

  /** Turns an error of the device into a failed row; a lost device ends the run. */
  async #guard(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof DeviceError) || error.kind === "DeviceLost") throw error;
      this.#failure = error.message.split("\n")[0]!;
      this.#session.device.errors.forget();
    }
  }
}
