import {
  type AlgorithmName,
  type CollectiveName,
  COLLECTIVES,
} from "../../../collectives/registry.ts";
import type {
  Communicator,
  PreparedProgram,
} from "../../../collectives/transports/communicator.ts";
import { Device, SETTLE_MS } from "../../../device/device.ts";
import { summarise } from "../../../statistics/summary.ts";
import { type StopCriteria, StoppingRule, type StopReason } from "../../measure/timer.ts";
import { DeviceStaging } from "./device_staging.ts";
import {
  countWrong,
  largestOperands,
  type OperandPattern,
  operandPatterns,
} from "./operand_patterns.ts";

/** One case that all ranks run together. */
export interface LoopCase {
  readonly op: CollectiveName;
  readonly algorithm: AlgorithmName;
  /** Elements of the whole array. */
  readonly count: number;
  readonly inPlace: boolean;
  /** Where operands and results lie. */
  readonly memory: "host" | "device";
}

/** One case that all ranks measure together. */
export interface LoopRequest extends LoopCase {
  readonly rule: StopCriteria;
}

/** What one rank saw, an entry an iteration. */
export interface LoopResult {
  readonly timesUs: readonly number[];
  /** Of device memory: from the adapter to shared memory, the collective itself, and back. */
  readonly readUs: readonly number[];
  readonly exchangeUs: readonly number[];
  readonly writeUs: readonly number[];
  readonly wrongElements: number;
  readonly maxAbsError: number;
  /** Largest error that passes; 0 where sums are exact. */
  readonly tolerance: number;
  readonly stopReason: StopReason;
}

/** A case made ready: its program, where operand and result lie, and what they must be. */
interface OpenCase {
  readonly prepared: PreparedProgram;
  readonly operand: Float32Array;
  readonly result: Float32Array;
  /** The result and all else that a stale value could hide in. */
  readonly output: Float32Array;
  readonly patterns: readonly OperandPattern[];
  readonly tolerance: number;
  readonly staging: DeviceStaging | undefined;
}

/** When an iteration began and ended its parts, in ms, and what was wrong with its result. */
interface Iteration {
  readonly start: number;
  readonly read: number;
  readonly exchanged: number;
  readonly done: number;
  readonly wrong: ReturnType<typeof countWrong>;
}

const WARM_UPS = 5;
const REASONS: readonly StopReason[] = ["noise_target", "noise_stable", "timeout", "max_samples"];

/** The loop in which ranks measure a collective: fresh operands, a timed run, every element verified. */
export class CollectiveLoop implements AsyncDisposable {
  readonly #communicator: Communicator;
  #device: Device | undefined;

  /** A loop of one rank. */
  constructor(communicator: Communicator) {
    this.#communicator = communicator;
  }

  /** Measures until rank 0 says that it is enough; every rank must be given the same request. */
  async measure(request: LoopRequest): Promise<LoopResult> {
    const open = await this.#open(request);
    using staging = open.staging;
    const stopper = new StoppingRule(request.rule);
    const iterations: Iteration[] = [];
    const timesUs: number[] = [];
    let stopReason: StopReason | undefined;
    let begun = performance.now();
    while (stopReason === undefined) {
      const iteration = await this.#iterate(open, { place: iterations.length, runs: 1 });
      iterations.push(iteration);
      if (iterations.length > WARM_UPS) timesUs.push((iteration.done - iteration.start) * 1000);
      const spentUs = (performance.now() - begun) * 1000;
      begun = performance.now();
      stopReason = this.#agree(stopper, { timesUs, spentUs });
    }
    const part = (from_: "start" | "read" | "exchanged", to: "read" | "exchanged" | "done") =>
      staging ? iterations.slice(WARM_UPS).map((one) => (one[to] - one[from_]) * 1000) : [];
    return {
      timesUs,
      readUs: part("start", "read"),
      exchangeUs: part("read", "exchanged"),
      writeUs: part("exchanged", "done"),
      wrongElements: iterations.reduce((sum, { wrong }) => sum + wrong.elements, 0),
      maxAbsError: iterations.reduce((most, { wrong }) => Math.max(most, wrong.error), 0),
      tolerance: open.tolerance,
      stopReason,
    };
  }

  /** Runs a case so many times without a check between: microseconds a run, for what goes on meanwhile. */
  async backToBack(c: LoopCase, runs: number): Promise<number> {
    const open = await this.#open(c);
    using _ = open.staging;
    await this.#iterate(open, { place: 0, runs: 1 });
    const { start, done } = await this.#iterate(open, { place: 1, runs });
    return (done - start) * 1000 / runs;
  }

  /** Runs a case whenever rank 0 does, until its flag is 0. */
  follow(c: LoopCase): void {
    const { program } = COLLECTIVES[c.op].algorithms[c.algorithm]!;
    const prepared = this.#communicator.prepare(program, c);
    for (;;) {
      this.#communicator.barrier();
      if (this.#communicator.flag === 0) return;
      this.#communicator.run(prepared);
    }
  }

  /** Frees the device, if one was opened, in WebGPU's safe order. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#device) return;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await this.#device[Symbol.asyncDispose]();
  }

  async #open({ op, algorithm, count, inPlace, memory }: LoopCase): Promise<OpenCase> {
    const collective = COLLECTIVES[op];
    const { program, errorBound } = collective.algorithms[algorithm]!;
    const { rank, size: ranks } = this.#communicator;
    const shape = { rank, ranks, count, inPlace };
    const array = (name: "input" | "output", { start, end }: { start: number; end: number }) => {
      const from_ = inPlace ? start : 0;
      return this.#communicator.array(name).subarray(from_, from_ + end - start);
    };
    const operand = array(inPlace ? "output" : "input", collective.operand(shape));
    const result = array("output", collective.result(shape));
    const size = { operand: operand.length, result: result.length };
    return {
      prepared: this.#communicator.prepare(program, shape),
      operand,
      result,
      output: this.#communicator.array("output").subarray(0, count),
      patterns: operandPatterns(collective, shape),
      tolerance: errorBound?.(largestOperands(ranks)) ?? 0,
      staging: memory === "device"
        ? await DeviceStaging.open(this.#device ??= await Device.open(), size)
        : undefined,
    };
  }

  /** Fresh operands, `runs` timed runs one after another, and a look at every element of the result. */
  async #iterate(
    { prepared, operand, result, output, patterns, tolerance, staging }: OpenCase,
    { place, runs }: { readonly place: number; readonly runs: number },
  ): Promise<Iteration> {
    const pattern = patterns[place % patterns.length]!;
    output.fill(NaN);
    operand.set(pattern.operand);
    await staging?.fill(pattern.operand);
    this.#communicator.barrier();
    const start = performance.now();
    staging?.read(operand);
    const read = performance.now();
    for (let i = 0; i < runs; i++) this.#communicator.run(prepared);
    const exchanged = performance.now();
    staging?.write(result);
    const done = performance.now();
    this.#communicator.barrier(); // a rank that verifies takes no core from one that is not done
    const found = staging ? await staging.result(result.length) : result;
    const wrong = countWrong(found, pattern.expected, tolerance);
    return { start, read, exchanged, done, wrong };
  }

  /** Rank 0 decides by its own times and tells the others. */
  #agree(
    stopper: StoppingRule,
    { timesUs, spentUs }: { readonly timesUs: readonly number[]; readonly spentUs: number },
  ): StopReason | undefined {
    if (this.#communicator.rank === 0) {
      const noise = () => summarise(timesUs).noisePct;
      const reason = timesUs.length === 0 ? undefined : stopper.next(timesUs, { noise, spentUs });
      this.#communicator.broadcastFlag(reason === undefined ? 0 : 1 + REASONS.indexOf(reason));
    }
    this.#communicator.barrier();
    return REASONS[this.#communicator.flag - 1];
  }
}
