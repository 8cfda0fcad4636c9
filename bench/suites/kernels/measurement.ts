import type { Dispatch } from "../../../device/dispatch.ts";
import type { Clock } from "../../../device/timestamps.ts";
import type { Cost } from "../../../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../../../kernels/operation.ts";
import type { ModelShape } from "../../../model/shape.ts";
import { boundGbytesPerS, ceilingPct } from "../../measure/ceilings.ts";
import type { CacheFlush } from "../../measure/cache_flush.ts";
import type { KernelCase } from "../../../model/kernel_ops.ts";
import { type StopCriteria, StoppingRule, type StopReason } from "../../measure/stopping_rule.ts";
import { type Sample, timeUs } from "../../measure/timer.ts";
import type { Session } from "../../measure/session.ts";
import { median } from "../../../statistics/summary.ts";
import type { EdgeChecks } from "../../measure/edge_checks.ts";
import { errorShare } from "../../measure/judge.ts";
import { Verifier } from "../../measure/verifier.ts";
import type { Workload } from "../../measure/workload.ts";

/** Hot: right after another run over the same buffers. Cold: caches are evicted before each timed pass. */
export type Mode = "hot" | "cold";

/** What all cases of a run of the suite share. */
export interface KernelsSetting {
  readonly session: Session;
  readonly model: ModelShape;
  readonly seed: number;
  readonly rule: StopCriteria;
  readonly cacheFlush: CacheFlush | undefined;
  readonly edgeChecks: EdgeChecks;
  /** Host memory that may be used. */
  readonly memoryBytes: number;
}

/** One measured, checked variant of a case in one mode. */
export interface KernelResult {
  readonly case: KernelCase;
  readonly variant: string;
  readonly mode: Mode;
  readonly status: "ok" | "wrong" | "failed" | "skipped";
  readonly reason: string;
  readonly stopReason?: StopReason | undefined;
  readonly samples: readonly Sample[];
  /** The round of each sample. */
  readonly rounds?: readonly number[] | undefined;
  readonly wrongElements?: number | undefined;
  readonly maxAbsError?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly cost: Cost;
  /** What ran: `kernel/variant` of each operation, each once; absent where nothing did. */
  readonly shaders?: readonly string[] | undefined;
  readonly ceilings?: CeilingFacts | undefined;
  readonly firstDispatchMs?: number | undefined;
  /** Milliseconds that creating the pipelines took, whenever in the session that was. */
  readonly pipelineMs?: number | undefined;
}

/** A hot run may find all its operands in the caches. */
const BOUNDS = { hot: "caches", cold: "memory" } as const;

/** What bounds a row, in 1e9 a second: what the session measured by then. */
export interface CeilingFacts {
  readonly ceiling_gflops: number;
  readonly ceiling_gbytes_per_s: number;
}

/** A row that reached more than this share of its ceiling is a bug of the model or the timer. */
const CEILING_LIMIT_PCT = 110;

/** A turn of a measurement: at most so many samples, or so many microseconds. */
const TURN_SAMPLES = 5;
const TURN_US = 20_000;

/** Whether the clock that a sample should have been taken with did not give a time. */
export function isUntimed({ gpuUs }: Sample, clock: Clock): boolean {
  return clock === "gpu" && gpuUs === undefined;
}

/** A way to run all operations of a case. */
export interface VariantRun {
  readonly name: string;
  readonly pick: ReadonlyMap<Operation, OperationVariant>;
}

/** One variant of a case under way: check, time with every iteration verified, check again. */
export class Measurement implements Disposable {
  readonly #setting: KernelsSetting;
  readonly #workload: Workload;
  readonly #what: { choice: VariantRun; mode: Mode; case: KernelCase; cost: Cost };
  readonly #samples: Sample[] = [];
  #dispatches: readonly Dispatch[] = [];
  #writableInputs: readonly string[] = [];
  #verifier: Verifier | undefined;
  #stopper: StoppingRule | undefined;
  #stopReason: StopReason | undefined;
  /** The error of the device that ended it. */
  #failure: string | undefined;
  /** What is wrong with the row though its device works; outputs are judged all the same. */
  readonly #faults = new Set<string>();
  #wrong = 0;
  /** Of the operation whose error is the largest share of its tolerance. */
  #worst = { maxAbsError: 0, tolerance: 0 };
  #firstDispatchMs = 0;
  #pipelineMs = 0;

  private constructor(
    setting: KernelsSetting,
    workload: Workload,
    what: { choice: VariantRun; mode: Mode; case: KernelCase; cost: Cost },
  ) {
    this.#setting = setting;
    this.#workload = workload;
    this.#what = what;
  }

  /** Whether more samples are wanted. */
  get open(): boolean {
    const hasFailed = this.#failure !== undefined || this.#faults.size > 0;
    return !hasFailed && this.#wrong === 0 && this.#stopReason === undefined;
  }

  /** Compiles, runs once, checks every element against float64, keeps that output, warms up. */
  static async start(
    setting: KernelsSetting,
    workload: Workload,
    what: { choice: VariantRun; mode: Mode; case: KernelCase; cost: Cost },
  ): Promise<Measurement> {
    const measurement = new Measurement(setting, workload, what);
    const { device, timer } = setting.session;
    await measurement.#guard(async () => {
      for (const variant of what.choice.pick.values()) {
        const program = variant.program();
        await device.pipelines.compile(program);
        measurement.#pipelineMs += device.pipelines.createMs(program);
      }
      const choose = (operation: Operation) => what.choice.pick.get(operation)!;
      const dispatches = workload.bind(choose);
      measurement.#dispatches = dispatches;
      measurement.#writableInputs = workload.writableInputs(choose);
      workload.poison();
      await device.finish(); // what was uploaded is no time of the dispatch
      const start = performance.now();
      device.run(dispatches);
      await device.finish();
      measurement.#firstDispatchMs = performance.now() - start;
      await measurement.#check();
      await measurement.#checkEdges();
      await measurement.#restoreInputs();
      measurement.#verifier = new Verifier(device, workload);
      await timer.warmUp(dispatches);
      await measurement.#restoreInputs();
      measurement.#stopper = new StoppingRule(setting.rule);
    });
    return measurement;
  }

  /**
   * Takes a few samples; each output is verified outside its timed window. Others ran since the
   * last turn and filled the caches, so a turn of a short hot measurement begins with an untimed run.
   */
  async turn(): Promise<void> {
    await this.#guard(async () => {
      const before = this.#what.mode === "cold" ? this.#setting.cacheFlush?.dispatch : undefined;
      const isShort = (this.#samples.at(-1)?.hostUs ?? 0) < TURN_US;
      if (before === undefined && isShort) {
        await this.#setting.session.timer.sample(this.#dispatches);
        this.#verifier!.queue();
      }
      const turn: Sample[] = [];
      let spentUs = 0;
      while (turn.length < TURN_SAMPLES && spentUs < TURN_US) {
        const sample = await this.#setting.session.timer.sample(this.#dispatches, before);
        this.#verifier!.queue();
        turn.push(sample);
        spentUs += sample.hostUs;
      }
      this.#samples.push(...turn);
      if (turn.some((sample) => isUntimed(sample, this.#setting.session.device.clock))) {
        this.#faults.add(
          "the adapter's clock stood still or ran backwards: a sample has no GPU time",
        );
      }
      this.#stopReason = this.#stopper!.endTurn(turn.map(timeUs), spentUs);
      await this.#restoreInputs();
    });
  }

  /** Checks again against float64 and reports. */
  async finish(): Promise<KernelResult> {
    const { device } = this.#setting.session;
    if (this.#failure === undefined) {
      await this.#guard(async () => {
        this.#wrong += await this.#verifier!.mismatchedWords();
        this.#workload.poison();
        device.run(this.#dispatches);
        await this.#check();
        await this.#restoreInputs();
      });
    }
    await this.#checkCeiling();
    const { ceilings } = this.#setting.session;
    const { choice, mode, cost } = this.#what;
    const reasons = [
      ...(this.#wrong > 0 ? [`${this.#wrong} wrong elements`] : []),
      ...(this.#failure === undefined ? [] : [this.#failure]),
      ...this.#faults,
    ];
    return {
      case: this.#what.case,
      variant: choice.name,
      shaders: [...new Set([...choice.pick].map(([{ kernel }, { name }]) => `${kernel}/${name}`))],
      mode,
      status: this.#wrong > 0 ? "wrong" : reasons.length > 0 ? "failed" : "ok",
      reason: reasons.join("; "),
      stopReason: this.#stopReason,
      samples: this.#samples,
      rounds: this.#stopper?.rounds,
      wrongElements: this.#wrong,
      ...this.#worst,
      cost,
      ceilings: {
        ceiling_gflops: ceilings.multiplyAddGflops,
        ceiling_gbytes_per_s: boundGbytesPerS(ceilings, BOUNDS[mode]),
      },
      firstDispatchMs: this.#firstDispatchMs,
      pipelineMs: this.#pipelineMs,
    };
  }

  /** What is above its ceiling, also when the ceilings are measured again, has failed. */
  async #checkCeiling(): Promise<void> {
    if (this.#samples.length === 0) return;
    const { session } = this.#setting;
    const { cost, mode } = this.#what;
    const us = median(this.#samples.map(timeUs));
    const share = () => ceilingPct(cost, us, session.ceilings, BOUNDS[mode]);
    if (share() > CEILING_LIMIT_PCT) {
      await this.#guard(async () => void await session.raiseCeilings());
    }
    if (share() > CEILING_LIMIT_PCT) {
      const reached = `${share().toFixed(0)} % of its ceiling`;
      this.#faults.add(`${reached}: the cost model or the timer is wrong`);
    }
  }

  /** Frees what verified the iterations. */
  [Symbol.dispose](): void {
    this.#verifier?.[Symbol.dispose]();
  }

  /** Uploads the inputs that it changed again, so that its neighbours' rows are not spoilt, and fails. */
  async #restoreInputs(): Promise<void> {
    if (this.#writableInputs.length === 0) return;
    const mutated = await this.#workload.mutatedInputs(this.#writableInputs);
    if (mutated.length === 0) return;
    this.#workload.restoreInputs(mutated);
    this.#faults.add(`it changed its inputs ${mutated.join(", ")}`);
  }

  async #check(): Promise<void> {
    const { wrongElements, maxAbsError, tolerance } = await this.#workload.check();
    this.#wrong += wrongElements;
    const found = { maxAbsError, tolerance };
    if (this.#worst.tolerance === 0 || errorShare(found) > errorShare(this.#worst)) {
      this.#worst = found;
    }
  }

  /** Checks every shader on operands that the measured run does not have. */
  async #checkEdges(): Promise<void> {
    for (const [operation, variant] of this.#what.choice.pick) {
      const failure = await this.#setting.edgeChecks.failure(operation, variant);
      if (!failure) continue;
      this.#wrong += failure.wrongElements;
      this.#faults.add(`wrong on ${failure.edgeCase}`);
    }
  }

  /** Turns an error of the device into a failed row; a lost device ends the run. */
  async #guard(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#failure = this.#setting.session.device.errors.recover(error);
    }
  }
}
