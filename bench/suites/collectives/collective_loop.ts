import type { Collective, Elements } from "../../../collectives/collective.ts";
import type { AlgorithmName, CollectiveName } from "../../../collectives/registry.ts";
import { chunk, type ProgramShape } from "../../../collectives/step_program.ts";
import type {
  Communicator,
  CommunicatorState,
} from "../../../collectives/transports/communicator.ts";
import type { DeviceBuffer } from "../../../device/buffer.ts";
import { Device } from "../../../device/device.ts";
import { type StopCriteria, StoppingRule, type StopReason } from "../../measure/timer.ts";
import { summarise } from "../../../statistics/summary.ts";

/** One case that all ranks measure together. */
export interface LoopRequest {
  readonly op: CollectiveName;
  readonly algorithm: AlgorithmName;
  /** Elements of the whole array. */
  readonly count: number;
  readonly inPlace: boolean;
  /** Where operands and results lie. */
  readonly memory: "host" | "device";
  readonly rule: StopCriteria;
  /**
   * Runs so many times without a check between and then verifies the last: for measuring what else the
   * machine can do meanwhile. The one time is that of a run on average.
   */
  readonly backToBack?: number;
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

const WARM_UPS = 5;
/** Operands alternate, so that a result left over from the last iteration is never right. */
const PATTERNS = 2;

/** Operands repeat after so many elements: twice 251, for pairs. */
const PERIOD = 502;

/** An operand whose sums over up to 16 ranks are exact in float32; no two ranks or patterns agree. */
export function operandValue(rank: number, index: number, pattern: number): number {
  return ((index * 7 + pattern * 31) % 251 - 125) * 2 ** rank;
}

/** The loop in which ranks measure a collective: fresh operands, a timed run, every element verified. */
export class CollectiveLoop implements AsyncDisposable {
  readonly #end: Communicator;
  readonly #shared: CommunicatorState;
  #device: Device | undefined;

  /** A loop over one rank's end of the shared memory. */
  constructor(end: Communicator, shared: CommunicatorState) {
    this.#end = end;
    this.#shared = shared;
  }

  /** Measures until rank 0 says that it is enough; every rank must be given the same request. */
  async run(request: LoopRequest, collective: Collective): Promise<LoopResult> {
    const { count, inPlace, algorithm, memory, rule, backToBack } = request;
    const end = this.#end;
    const { ranks } = this.#shared;
    const { program, errorBound } = collective.algorithms[algorithm]!;
    const shape: ProgramShape = { rank: end.rank, ranks, count, inPlace };
    const largest = Array.from({ length: ranks }, (_, rank) => 125 * 2 ** rank);
    const tolerance = errorBound?.(largest) ?? 0;
    const prepared = end.prepare(program, shape);
    const operand = collective.operand(shape);
    const result = collective.result(shape);
    const input = end.array(inPlace ? "output" : "input");
    const output = end.array("output");
    const inputAt = inPlace ? operand.start : 0;
    const outputAt = inPlace ? result.start : 0;
    const operandView = input.subarray(inputAt, inputAt + operand.end - operand.start);
    const resultView = output.subarray(outputAt, outputAt + result.end - result.start);
    const staging = memory === "device"
      ? await this.#openStaging({ operand: operandView.length, result: resultView.length })
      : undefined;
    const stopper = new StoppingRule(rule);
    const seen = {
      timesUs: [] as number[],
      readUs: [] as number[],
      exchangeUs: [] as number[],
      writeUs: [] as number[],
      wrongElements: 0,
      maxAbsError: 0,
    };
    const patterns = Array.from({ length: PATTERNS }, (_, pattern) => ({
      operand: operandOf(shape, { pattern, operand }),
      expected: expectedOf(collective, shape, pattern),
    }));
    let stopReason: StopReason | undefined;
    let begun = performance.now();
    const warmUps = backToBack ? 1 : WARM_UPS;
    for (let iteration = -warmUps; stopReason === undefined; iteration++) {
      const pattern = patterns[(iteration + warmUps) % PATTERNS]!;
      output.subarray(0, count).fill(NaN);
      operandView.set(pattern.operand);
      if (staging) {
        staging.device.upload(staging.operand, pattern.operand);
        await staging.device.finish();
      }
      end.barrier();
      const start = performance.now();
      if (staging) staging.read(operandView);
      const read = performance.now();
      for (let i = 0; i < (backToBack ?? 1); i++) end.run(prepared);
      const exchanged = performance.now();
      if (staging) staging.write(resultView);
      const done = performance.now();
      end.barrier(); // a rank that verifies takes no core from one that is not done
      const found = staging
        ? new Float32Array(await staging.device.download(staging.result, 4 * resultView.length))
        : resultView;
      if (staging) await staging.device.readBack.yield();
      const wrong = countWrong(found, pattern.expected, tolerance);
      seen.wrongElements += wrong.elements;
      seen.maxAbsError = Math.max(seen.maxAbsError, wrong.error);
      if (iteration >= 0) {
        seen.timesUs.push((done - start) * 1000 / (backToBack ?? 1));
        if (staging) {
          seen.readUs.push((read - start) * 1000);
          seen.exchangeUs.push((exchanged - read) * 1000);
          seen.writeUs.push((done - exchanged) * 1000);
        }
      }
      const spentUs = (performance.now() - begun) * 1000;
      begun = performance.now();
      stopReason = backToBack
        ? iteration < 0 ? undefined : "max_samples"
        : this.#agree(stopper, { times: seen.timesUs, spentUs });
    }
    staging?.[Symbol.dispose]();
    return { ...seen, tolerance, stopReason };
  }

  /** Frees the device, if one was opened, in WebGPU's safe order. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#device) return;
    await new Promise((resolve) => setTimeout(resolve, 40));
    await this.#device[Symbol.asyncDispose]();
  }

  /** Runs a collective whenever rank 0 does, until it tells 0. */
  follow({ op: _, ...request }: LoopRequest, collective: Collective): void {
    const { program } = collective.algorithms[request.algorithm]!;
    const prepared = this.#end.prepare(program, request);
    for (;;) {
      this.#end.barrier();
      if (this.#end.flag === 0) return;
      this.#end.run(prepared);
    }
  }

  /** Rank 0 decides by its own times and tells the others. */
  #agree(
    stopper: StoppingRule,
    { times, spentUs }: { readonly times: readonly number[]; readonly spentUs: number },
  ): StopReason | undefined {
    if (this.#end.rank === 0) {
      const noise = () => summarise(times).noisePct;
      const reason = times.length === 0 ? undefined : stopper.next(times, { noise, spentUs });
      this.#end.broadcastFlag(reason === undefined ? 0 : 1 + REASONS.indexOf(reason));
    }
    this.#end.barrier();
    return REASONS[this.#end.flag - 1];
  }

  async #openStaging(
    size: { readonly operand: number; readonly result: number },
  ): Promise<DeviceStaging> {
    this.#device ??= await Device.open();
    return await DeviceStaging.open(this.#device, size);
  }
}

const REASONS: readonly StopReason[] = ["noise_target", "noise_stable", "timeout", "max_samples"];

/** The adapter's side of a rank: buffers of operand and result, and the ways to and from shared memory. */
class DeviceStaging implements Disposable {
  readonly device: Device;
  readonly operand: DeviceBuffer;
  readonly result: DeviceBuffer;

  private constructor(device: Device, size: { readonly operand: number; readonly result: number }) {
    this.device = device;
    this.operand = device.allocate({ label: "collective.operand", bytes: 4 * size.operand });
    this.result = device.allocate({ label: "collective.result", bytes: 4 * size.result });
  }

  static async open(
    device: Device,
    size: { readonly operand: number; readonly result: number },
  ): Promise<DeviceStaging> {
    const staging = new DeviceStaging(device, size);
    await device.readBack.prime(Math.max(4, 4 * size.operand));
    return staging;
  }

  /** From the adapter to shared memory: the wait for the adapter included. */
  read(into: Float32Array): void {
    if (into.length === 0) return;
    this.device.readBack.start(this.operand.gpu, { bytes: into.byteLength }).finishInto(into);
  }

  /** From shared memory to the adapter's queue, ahead of whatever it runs next. */
  write(from_: Float32Array): void {
    if (from_.length === 0) return;
    this.device.upload(this.result, from_);
    this.device.submit([]);
  }

  [Symbol.dispose](): void {
    this.operand.destroy();
    this.result.destroy();
  }
}

/** A rank's operand of a pattern. */
export function operandOf(
  { rank }: ProgramShape,
  { pattern, operand }: { readonly pattern: number; readonly operand: Elements },
): Float32Array {
  return periodic(operand, (index) => operandValue(rank, index, pattern));
}

/** What a rank's result must be. */
export function expectedOf(
  collective: Collective,
  shape: ProgramShape,
  pattern: number,
): Float32Array {
  const result = collective.result(shape);
  const operand = (rank: number, index: number) => operandValue(rank, index, pattern);
  const expected = new Float32Array(result.end - result.start);
  // Within one rank's share of the array values repeat, whatever the collective makes of them.
  for (let rank = 0; rank < shape.ranks; rank++) {
    const own = chunk(shape.count, shape.ranks, rank);
    const start = Math.max(own.start, result.start);
    const end = Math.min(own.end, result.end);
    if (start >= end) continue;
    const part = periodic({ start, end }, (index) => collective.expected(operand, index, shape));
    expected.set(part, start - result.start);
  }
  return expected;
}

/** Values of elements, computed for one period and repeated. */
function periodic({ start, end }: Elements, value: (index: number) => number): Float32Array {
  const values = new Float32Array(end - start);
  const computed = Math.min(PERIOD, values.length);
  for (let i = 0; i < computed; i++) values[i] = value(start + i);
  for (let have = computed; have < values.length && have > 0; have *= 2) {
    values.copyWithin(have, 0, Math.min(have, values.length - have));
  }
  return values;
}

/** How many elements are off by more than the tolerance, and by how much at most. */
export function countWrong(
  found: Float32Array,
  expected: Float32Array,
  tolerance: number,
): { readonly elements: number; readonly error: number } {
  let elements = 0;
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    if (found[i] === expected[i]) continue;
    const off = Math.abs(found[i]! - expected[i]!);
    if (!(off <= tolerance)) elements++;
    error = Math.max(error, Number.isNaN(off) ? Infinity : off);
  }
  return { elements, error };
}
