import type { DeviceBuffer } from "../device/buffer.ts";
import type { Device } from "../device/device.ts";
import { DeviceError } from "../device/device_error.ts";
import { bufferBytes, tensorBytes } from "../kernels/kernel.ts";
import { maxLogitsRows, memoryProblem, stageBuffers } from "../model/stage_memory.ts";
import {
  type BatchSize,
  type CollectiveOp,
  type Stage,
  stageProgram,
  type TensorRole,
} from "../model/stage_program.ts";
import type { WeightSource } from "../model/weight_source.ts";
import { loadStage } from "./load_stage.ts";
import { type Segment, SegmentPlanner, type SelectVariant } from "./segments.ts";
import type { Span } from "./replica_trace.ts";
import { StepReadout } from "./step_readout.ts";
import type { LogitsGather, TensorParallelGroup } from "./tensor_parallel_group.ts";
import { checkBatch, type HiddenStates, type TokenBatch } from "./token_batch.ts";

/** What a forward pass gave and took. */
export interface StepResult {
  /** The greedy successor of each sampled token; none where the rank does not learn it. */
  readonly tokenIds: readonly number[];
  /** What the next stage starts from; absent where this is the last. */
  readonly hidden?: HiddenStates | undefined;
  /** Microseconds on the adapter's clock; absent where it has none. */
  readonly gpuUs: number | undefined;
  /** Microseconds from the call to the token ids being on the host. */
  readonly hostUs: number;
  /** Of them up to the end of submitting, recording included. */
  readonly submitUs: number;
  /** Of them waiting for the device and reading back. */
  readonly waitUs: number;
  /** What happened when, in order. */
  readonly spans: readonly Span[];
}

/** What a rank needs to begin. */
export interface RankOptions {
  readonly stage: Stage;
  readonly weights: WeightSource;
  readonly choose: SelectVariant;
  /** Memory that may be taken, in bytes; Infinity where the device does not tell. */
  readonly memoryBytes: number;
  /** The other ranks of the tensor parallel group, where there are any. */
  readonly group?: TensorParallelGroup | undefined;
  /** Told each segment as it begins. */
  readonly onSegment?: (segment: Segment) => void;
  /** Told whenever a tensor is loaded. */
  readonly onLoaded?: () => void;
}

/** How ranks that share the head go about it, and what the stage before left. */
export interface StepOptions {
  readonly input?: HiddenStates | undefined;
  readonly head?: LogitsGather | undefined;
}

interface Running {
  readonly spans: Span[];
  readonly size: BatchSize;
  /** When the segment began, in ms. */
  begun: number;
  submitUs: number;
  waitUs: number;
}

/** One rank: a stage's weights and KV cache on a device, and its forward pass. */
export class Rank implements Disposable {
  readonly stage: Stage;
  readonly #device: Device;
  readonly #group: TensorParallelGroup | undefined;
  readonly #onSegment: RankOptions["onSegment"];
  readonly #planner: SegmentPlanner;
  readonly #buffers = new Map<string, DeviceBuffer>();
  readonly #rowBytes = new Map<string, number>();
  readonly #rows: Readonly<Record<keyof BatchSize, DeviceBuffer>>;
  readonly #rowsNow: Record<keyof BatchSize, number> = { tokens: 0, logitsRows: 0 };
  readonly #readout: StepReadout;
  readonly #plans = new Map<string, readonly Segment[]>();
  #isClosed = false;

  private constructor(device: Device, { stage, choose, group, onSegment }: RankOptions) {
    this.#group = group;
    this.#onSegment = onSegment;
    this.#device = device;
    this.stage = stage;
    for (const [name, tensor] of stageBuffers(stage)) {
      this.#buffers.set(name, device.allocate({ label: name, bytes: bufferBytes(tensor) }));
      this.#rowBytes.set(name, tensorBytes({ ...tensor, rows: 1 }));
    }
    const rows = (label: string) => device.allocate({ label, bytes: 32, uniform: true });
    this.#rows = { tokens: rows("rank.tokens"), logitsRows: rows("rank.logits_rows") };
    const buffers = { tensors: this.#buffers, rows: this.#rows };
    this.#planner = new SegmentPlanner(device, buffers, choose);
    this.#readout = new StepReadout(device, { stage, tensors: this.#buffers });
  }

  /**
   * Allocates a stage and loads its weights, one tensor at a time.
   * @throws {DeviceError} `OutOfMemory`, before anything is allocated, where it does not fit.
   */
  static async open(device: Device, options: RankOptions): Promise<Rank> {
    const { stage, weights, memoryBytes, onLoaded } = options;
    const problem = memoryProblem(stage, memoryBytes);
    if (problem !== undefined) {
      throw new DeviceError("OutOfMemory", `Cannot hold the model on this adapter: ${problem}`);
    }
    const rank = new Rank(device, options);
    try {
      await loadStage(device, { stage, weights, buffers: rank.#buffers, onLoaded });
    } catch (error) {
      rank[Symbol.dispose]();
      throw error;
    }
    return rank;
  }

  /** Makes ready for batches of a size: chooses variants, compiles, binds. A step does so when it must. */
  async prepare(size: BatchSize): Promise<void> {
    if (this.#isClosed) throw new DeviceError("Validation", "Cannot use the rank: it is closed");
    const key = planKey(size);
    if (this.#plans.has(key)) return;
    const segments = await this.#planner.plan(stageProgram(this.stage, size));
    for (const { collective } of segments) {
      if (!collective) continue;
      if (!this.#group) {
        const { op, tensor } = collective;
        throw new RangeError(`Cannot run ${op} of "${tensor}": one rank has nobody to meet`);
      }
      await this.#device.readBack.prime(this.#bytes(collective.tensor, size[collective.rows]));
    }
    await this.#device.readBack.prime(this.#readout.bytes(size));
    this.#plans.set(key, segments);
  }

  /**
   * Runs a batch: keys and values are appended to the cache, and the greedy successors of the sampled
   * tokens come back. One submission and one read-back, and one more of each for every collective.
   * @throws {RangeError} where the batch does not fit the stage.
   */
  async step(batch: TokenBatch, { input, head }: StepOptions = {}): Promise<StepResult> {
    checkBatch(this.stage, batch, input);
    const size = { tokens: batch.tokenIds.length, logitsRows: batch.logitsIndices.length };
    await this.prepare(size);
    const segments = this.#plans.get(planKey(size))!;
    const start = performance.now();
    this.#upload(batch, size);
    if (input) this.#receive(input);
    const running: Running = { spans: [], size, begun: start, submitUs: 0, waitUs: 0 };
    const readout = { buffer: this.#readout.buffer, bytes: this.#readout.bytes(size) };
    let chosen: readonly number[] | undefined;
    let data = new ArrayBuffer(0);
    for (const [place, segment] of segments.entries()) {
      const { collective, dispatches } = segment;
      this.#onSegment?.(segment);
      if (place > 0) running.begun = performance.now();
      const timestampWrites = this.#readout.times?.writes(place);
      const commands = this.#device.encode([{ dispatches, timestampWrites }], (encoder) => {
        if (!collective) this.#readout.record(encoder, size, segments.length);
      });
      if (!collective) data = await this.#read(commands, { ...readout, segment, running });
      else chosen = await this.#meet(commands, { ...segment, collective }, { running, head });
    }
    const done = performance.now();
    await this.#device.readBack.yield();
    const { spans, submitUs, waitUs } = running;
    return {
      tokenIds: chosen ?? this.#readout.tokenIds(data, size),
      hidden: this.#readout.hidden(data, size),
      submitUs,
      waitUs,
      gpuUs: this.#readout.takeTimes(data, spans),
      hostUs: (done - start) * 1000,
      spans,
    };
  }

  /** The logits of the last step's sampled tokens, a row each: of the rank's columns of V; needs the head. */
  async logits(rows: number): Promise<readonly Float32Array[]> {
    const { tensorParallelSize, model: { vocab } } = this.stage;
    const buffer = this.#buffers.get("output.logits")!;
    const stride = buffer.bytes / 4 / maxLogitsRows(this.stage);
    const columns = tensorParallelSize === 1
      ? vocab
      : stageBuffers(this.stage).get("output.logits")!.columns;
    const all = new Float32Array(await this.#device.download(buffer, 4 * stride * rows));
    return Array.from({ length: rows }, (_, i) => all.slice(i * stride, i * stride + columns));
  }

  /** Bytes of the rank's buffers of a role. */
  bytesOf(role: TensorRole): number {
    const own = [...stageBuffers(this.stage)].filter(([, tensor]) => tensor.role === role);
    return own.reduce((sum, [name]) => sum + this.#buffers.get(name)!.bytes, 0);
  }

  /** Frees all memory of the rank; the device stays open. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const buffer of this.#buffers.values()) buffer.destroy();
    for (const buffer of Object.values(this.#rows)) buffer.destroy();
    this.#readout[Symbol.dispose]();
  }

  /** Bytes of the first rows of a tensor. */
  #bytes(tensor: string, rows: number): number {
    return rows * this.#rowBytes.get(tensor)!;
  }

  /** Runs a segment and the collective behind it; token ids where it chose them. */
  async #meet(
    commands: GPUCommandBuffer,
    segment: Segment & { readonly collective: CollectiveOp },
    { running, head = "all_gather" }: {
      readonly running: Running;
      readonly head: LogitsGather | undefined;
    },
  ): Promise<readonly number[] | undefined> {
    const { tensor, rows, op } = segment.collective;
    const count = running.size[rows];
    const buffer = this.#buffers.get(tensor)!;
    const bytes = this.#bytes(tensor, count);
    const own = new Float32Array(await this.#read(commands, { buffer, bytes, segment, running }));
    const start = performance.now();
    let chosen: readonly number[] | undefined;
    if (op === "all_reduce") this.#device.upload(buffer, this.#group!.allReduce(own));
    else chosen = this.#group!.sampleGreedy(own, { rows: count, stage: this.stage, head });
    const end = performance.now();
    running.spans.push({ kind: op === "all_reduce" ? op : head, start, end });
    return chosen;
  }

  /** Submits and reads, in whichever way works here. */
  async #read(
    commands: GPUCommandBuffer,
    { buffer, bytes, segment, running }: {
      readonly buffer: DeviceBuffer;
      readonly bytes: number;
      readonly segment: Segment;
      readonly running: Running;
    },
  ): Promise<ArrayBuffer> {
    const start = running.begun;
    const isEager = this.#device.readBack.mode === "eager";
    const pending = isEager && this.#device.submitAndRead([commands], buffer, bytes);
    if (!pending) this.#device.submit([commands]);
    const submitted = performance.now();
    const data = pending
      ? pending.finish()
      : await this.#device.readBack.read(buffer.gpu, { bytes });
    const end = performance.now();
    running.submitUs += (submitted - start) * 1000;
    running.waitUs += (end - submitted) * 1000;
    running.spans.push({ kind: "compute", start, end, ops: [segment.first, segment.last] });
    return data;
  }

  #receive(input: HiddenStates): void {
    const half = input.length / 2;
    this.#device.upload(this.#buffers.get("state.delta")!, input.subarray(0, half));
    this.#device.upload(this.#buffers.get("state.residual_a")!, input.subarray(half));
  }

  #upload(batch: TokenBatch, size: BatchSize): void {
    const upload = (name: string, values: readonly number[]) => {
      const buffer = this.#buffers.get(name);
      if (buffer) this.#device.upload(buffer, Uint32Array.from(values));
    };
    upload("input.ids", batch.tokenIds);
    upload("input.positions", batch.positions);
    upload("input.slots", batch.slots);
    if (size.logitsRows < size.tokens) upload("input.logits_indices", batch.logitsIndices);
    for (const key of ["tokens", "logitsRows"] as const) {
      if (this.#rowsNow[key] === size[key]) continue;
      this.#device.upload(this.#rows[key], Uint32Array.of(size[key]));
      this.#rowsNow[key] = size[key];
    }
  }
}

function planKey({ tokens, logitsRows }: BatchSize): string {
  return `${tokens} ${logitsRows}`;
}
