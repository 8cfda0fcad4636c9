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
import type { TurnCriteria } from "../../measure/stopping_rule.ts";
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

/** A turn of one case that all ranks measure together. */
export interface LoopRequest extends LoopCase {
  readonly turn: TurnCriteria;
  /** Iterations ahead that are verified, but not timed. */
  readonly warmUps: number;
}

/** What one rank saw, an entry a timed iteration. */
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
    const { turn, warmUps } = request;
    const iterations: Iteration[] = [];
    let timedMs = 0;
    for (let isEnough = false; !isEnough;) {
      const iteration = await this.#iterate(open, { place: iterations.length, runs: 1 });
      const timed = iterations.push(iteration) - warmUps;
      if (timed > 0) timedMs += iteration.done - iteration.start;
      isEnough = this.#agree(
        timed >= turn.maxSamples || (timed >= turn.minSamples && timedMs >= turn.minTimeMs),
      );
    }
    const times = (from_: "start" | "read" | "exchanged", to: "read" | "exchanged" | "done") =>
      iterations.slice(warmUps).map((one) => (one[to] - one[from_]) * 1000);
    const part: typeof times = (from_, to) => staging ? times(from_, to) : [];
    return {
      timesUs: times("start", "done"),
      readUs: part("start", "read"),
      exchangeUs: part("read", "exchanged"),
      writeUs: part("exchanged", "done"),
      wrongElements: iterations.reduce((sum, { wrong }) => sum + wrong.elements, 0),
      maxAbsError: iterations.reduce((most, { wrong }) => Math.max(most, wrong.error), 0),
      tolerance: open.tolerance,
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

  /** What rank 0 finds is told to the others. */
  #agree(isEnough: boolean): boolean {
    if (this.#communicator.rank === 0) this.#communicator.broadcastFlag(isEnough ? 1 : 0);
    this.#communicator.barrier();
    return this.#communicator.flag === 1;
  }
}
