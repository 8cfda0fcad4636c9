import type { DeviceBuffer } from "../device/buffer.ts";
import type { Device } from "../device/device.ts";
import { DeviceError } from "../device/device_error.ts";
import type { Dispatch } from "../device/dispatch.ts";
import { TimestampBatch } from "../device/timestamps.ts";
import { bufferBytes, type Tensor, tensorBytes } from "../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../kernels/operation.ts";
import { packTensor } from "../kernels/pack.ts";
import { maxSamples, memoryProblem, stageBuffers } from "../model/stage_memory.ts";
import {
  type BatchSize,
  type Stage,
  stageEnds,
  type StageOp,
  stageProgram,
} from "../model/stage_program.ts";
import { stageWeights } from "../model/stage_weights.ts";
import { hostWeight, type WeightSource } from "../model/weight_source.ts";
import type { TensorParallelPeers } from "./tensor_parallel_peers.ts";

/** Tokens of one forward pass, of any number of sequences. */
export interface TokenBatch {
  readonly tokenIds: readonly number[];
  /** Position of each token in its sequence. */
  readonly positions: readonly number[];
  /** Place of each token's sequence in the KV cache. */
  readonly slots: readonly number[];
  /** Tokens, by their place in the batch and ascending, whose successors are wanted. */
  readonly samples: readonly number[];
}

/** Hidden states that one stage hands to the next: the last block's result and the residual, [T, H] each. */
export interface HiddenStates {
  readonly delta: Float32Array;
  readonly residual: Float32Array;
}

/** What a forward pass gave and took. */
export interface StepResult {
  /** The greedy successor of each sampled token; none where the stage has no head. */
  readonly tokenIds: readonly number[];
  /** What the next stage starts from; absent where this is the last. */
  readonly hidden?: HiddenStates | undefined;
  /** Microseconds in collectives: exchanging and uploading, waiting for peers included. */
  readonly exchangeUs: number;
  /** Microseconds on the adapter's clock; absent where it has none. */
  readonly gpuUs: number | undefined;
  /** Microseconds from the call to the token ids being on the host. */
  readonly hostUs: number;
  /** Of those, recording and submitting. */
  readonly submitUs: number;
  /** Of those, waiting for the device and reading back. */
  readonly waitUs: number;
}

/** Chooses the variant that runs an operation. */
export type ChooseVariant = (operation: Operation) => OperationVariant | Promise<OperationVariant>;

/** What a rank is made of. */
export interface RankOptions {
  readonly stage: Stage;
  readonly weights: WeightSource;
  readonly choose: ChooseVariant;
  /** Memory that may be taken, in bytes; Infinity where the device does not tell. */
  readonly memoryBytes: number;
  /** The other ranks of the tensor parallel group, where there are any. */
  readonly peers?: TensorParallelPeers | undefined;
}

/** Bytes of one pass's two timestamps; those of all passes lie ahead of the token ids in the read-back. */
const TIME_BYTES = 16;
/** Uploads up to this size are not waited for. */
const FREE_UPLOAD_BYTES = 2 ** 20;

/** Dispatches of one submission, and what all ranks do with a tensor after it. */
interface Segment {
  readonly dispatches: readonly Dispatch[];
  readonly collective: Extract<StageOp, { readonly kind: "collective" }> | undefined;
}

/** One rank: a stage's weights and KV cache on a device, and its forward pass. */
export class Rank implements Disposable {
  readonly stage: Stage;
  readonly #device: Device;
  readonly #choose: ChooseVariant;
  readonly #peers: TensorParallelPeers | undefined;
  readonly #buffers = new Map<string, DeviceBuffer>();
  readonly #rows: Readonly<Record<keyof BatchSize, DeviceBuffer>>;
  readonly #rowsNow: Record<keyof BatchSize, number> = { tokens: 0, samples: 0 };
  readonly #readout: DeviceBuffer;
  readonly #times: TimestampBatch | undefined;
  readonly #bound = new Map<string, Dispatch>();
  #lastTimes = new ArrayBuffer(0);
  readonly #plans = new Map<string, readonly Segment[]>();

  private constructor(device: Device, { stage, choose, peers }: RankOptions) {
    this.#peers = peers;
    this.#device = device;
    this.#choose = choose;
    this.stage = stage;
    for (const [name, tensor] of stageBuffers(stage)) {
      this.#buffers.set(name, device.allocate({ label: name, bytes: bufferBytes(tensor) }));
    }
    const rows = (label: string) => device.allocate({ label, bytes: 32, uniform: true });
    this.#rows = { tokens: rows("rank.tokens"), samples: rows("rank.samples") };
    // A submission for each collective, and the last one.
    this.#times = device.timestamps(2 * (stage.endLayer - stage.firstLayer) + 3);
    const bytes = this.#timeBytes + 4 * maxSamples(stage);
    this.#readout = device.allocate({ label: "rank.readout", bytes });
  }

  /**
   * Allocates a stage and loads its weights, one tensor at a time.
   * @throws {DeviceError} `OutOfMemory`, before anything is allocated, where it does not fit.
   */
  static async open(device: Device, options: RankOptions): Promise<Rank> {
    const problem = memoryProblem(options.stage, options.memoryBytes);
    if (problem !== undefined) {
      throw new DeviceError("OutOfMemory", `Cannot hold the model on this adapter: ${problem}`);
    }
    const rank = new Rank(device, options);
    try {
      await rank.#load(options.weights);
      await device.readBack.prime(rank.#readout.bytes);
    } catch (error) {
      rank[Symbol.dispose]();
      throw error;
    }
    return rank;
  }

  /** Makes ready for batches of a size: chooses variants, compiles, binds. A step does so when it must. */
  async prepare(size: BatchSize): Promise<void> {
    const key = planKey(size);
    if (this.#plans.has(key)) return;
    const segments = await this.#plan(size);
    for (const { collective } of segments) {
      if (collective) {
        await this.#device.readBack.prime(this.#bytes(collective.tensor, size[collective.rows]));
      }
    }
    if (this.#hands) await this.#device.readBack.prime(this.#bytes("state.delta", size.tokens));
    this.#plans.set(key, segments);
  }

  /**
   * Runs a batch: keys and values are appended to the cache, and the greedy successors of the sampled
   * tokens come back. One submission and one read-back, and one more of each for every collective and
   * for what a later stage is handed.
   * @throws {RangeError} where the batch does not fit the stage.
   */
  async step(batch: TokenBatch, input?: HiddenStates): Promise<StepResult> {
    this.#check(batch, input);
    const size = { tokens: batch.tokenIds.length, samples: batch.samples.length };
    await this.prepare(size);
    const segments = this.#plans.get(planKey(size))!;
    const start = performance.now();
    this.#upload(batch, size);
    if (input) {
      this.#device.upload(this.#buffers.get("state.delta")!, input.delta);
      this.#device.upload(this.#buffers.get("state.residual_a")!, input.residual);
    }
    const spent = { submitUs: 0, waitUs: 0, exchangeUs: 0 };
    let tokenIds: readonly number[] = [];
    for (const [place, segment] of segments.entries()) {
      const { collective } = segment;
      const commands = this.#record(segment, {
        place,
        count: segments.length,
        samples: size.samples,
      });
      if (!collective) {
        const data = await this.#read(commands, {
          buffer: this.#readout,
          bytes: this.#readout.bytes,
          spent,
        });
        tokenIds = this.#tokenIds(data, size.samples);
        this.#lastTimes = data.slice(0, this.#timeBytes);
        continue;
      }
      const rows = size[collective.rows];
      const bytes = this.#bytes(collective.tensor, rows);
      const buffer = this.#buffers.get(collective.tensor)!;
      const own = new Float32Array(await this.#read(commands, { buffer, bytes, spent }));
      const exchange = performance.now();
      if (collective.op === "all_reduce") {
        this.#device.upload(buffer, this.#peers!.allReduce(own));
      } else tokenIds = this.#peers!.choose(own, { rows, stage: this.stage });
      spent.exchangeUs += (performance.now() - exchange) * 1000;
    }
    const hidden = this.#hands ? await this.#hidden(size.tokens, spent) : undefined;
    const done = performance.now();
    await this.#device.readBack.yield();
    const durations = this.#times
      ? TimestampBatch.durationsUs(this.#lastTimes).slice(0, segments.length)
      : undefined;
    return {
      tokenIds,
      hidden,
      ...spent,
      gpuUs: durations?.reduce((sum, us) => sum + us, 0),
      hostUs: (done - start) * 1000,
    };
  }

  /** The logits of the last step's sampled tokens, one row of V each; needs the head. */
  async logits(samples: number): Promise<readonly Float32Array[]> {
    const { vocab } = this.stage.model;
    const buffer = this.#buffers.get("output.logits")!;
    const stride = buffer.bytes / 4 / maxSamples(this.stage);
    const all = new Float32Array(await this.#device.download(buffer, 4 * stride * samples));
    return Array.from({ length: samples }, (_, i) => all.slice(i * stride, i * stride + vocab));
  }

  /** Frees all memory of the rank; the device stays open. */
  [Symbol.dispose](): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    for (const buffer of [this.#rows.tokens, this.#rows.samples, this.#readout]) buffer.destroy();
    this.#times?.[Symbol.dispose]();
  }

  async #load(source: WeightSource): Promise<void> {
    const upload = async (
      name: string,
      tensor: Tensor,
      values: ReturnType<typeof hostWeight>["values"],
    ) => {
      const bytes = packTensor(tensor, values);
      this.#device.upload(this.#buffers.get(name)!, bytes);
      // A queue keeps its own copy of what is uploaded until it is flushed.
      if (bytes.length > FREE_UPLOAD_BYTES) await this.#device.finish();
    };
    for (const weight of stageWeights(this.stage)) {
      const { values, scales } = hostWeight(weight, source);
      await upload(weight.name, weight.tensor, values);
      if (scales) await upload(`${weight.name}.scale`, weight.scale!, scales);
    }
    for (const [name, tensor] of stageBuffers(this.stage)) {
      if (name.startsWith("constant.") && tensor.fill.kind === "floats") {
        await upload(name, tensor, tensor.fill.floats());
      }
    }
    await this.#device.finish();
  }

  /** Whether the stage hands its hidden states to another. */
  get #hands(): boolean {
    return !stageEnds(this.stage).isLast;
  }

  get #timeBytes(): number {
    return TIME_BYTES * (this.#times?.capacity ?? 1);
  }

  /** Bytes of the first rows of a tensor. */
  #bytes(tensor: string, rows: number): number {
    return rows * tensorBytes({ ...stageBuffers(this.stage).get(tensor)!, rows: 1 });
  }

  /** Records a segment; the last one also copies times and token ids to where they are read. */
  #record(
    { dispatches }: Segment,
    { place, count, samples }: {
      readonly place: number;
      readonly count: number;
      readonly samples: number;
    },
  ): GPUCommandBuffer {
    const times = this.#times;
    return this.#device.encode(
      [{ dispatches, timestampWrites: times?.writes(place) }],
      (encoder) => {
        if (place < count - 1) return;
        const to = this.#readout.gpu;
        times?.resolve(encoder, count);
        if (times) encoder.copyBufferToBuffer(times.buffer, 0, to, 0, TIME_BYTES * count);
        const ids = this.#buffers.get("output.token_ids");
        if (ids && samples > 0) {
          encoder.copyBufferToBuffer(ids.gpu, 0, to, this.#timeBytes, 4 * samples);
        }
      },
    );
  }

  /** Submits and reads, in whichever way works here. */
  async #read(
    commands: GPUCommandBuffer,
    { buffer, bytes, spent }: {
      readonly buffer: DeviceBuffer;
      readonly bytes: number;
      readonly spent: { submitUs: number; waitUs: number };
    },
  ): Promise<ArrayBuffer> {
    const start = performance.now();
    let submitted: number;
    let data: ArrayBuffer;
    if (this.#device.readBack.mode === "eager") {
      const pending = this.#device.submitAndRead([commands], buffer, bytes);
      submitted = performance.now();
      data = pending.finish();
    } else {
      this.#device.submit([commands]);
      submitted = performance.now();
      data = await this.#device.readBack.read(buffer.gpu, { bytes });
    }
    spent.submitUs += (submitted - start) * 1000;
    spent.waitUs += (performance.now() - submitted) * 1000;
    return data;
  }

  #tokenIds(data: ArrayBuffer, samples: number): readonly number[] {
    return this.#buffers.has("output.token_ids")
      ? [...new Uint32Array(data, this.#timeBytes, samples)]
      : [];
  }

  async #hidden(
    tokens: number,
    spent: { submitUs: number; waitUs: number },
  ): Promise<HiddenStates> {
    const bytes = this.#bytes("state.delta", tokens);
    const read = async (name: string) => {
      const nothing = this.#device.encode([]);
      const buffer = this.#buffers.get(name)!;
      return new Float32Array(await this.#read(nothing, { buffer, bytes, spent }));
    };
    return { delta: await read("state.delta"), residual: await read("state.residual_a") };
  }

  async #plan(size: BatchSize): Promise<readonly Segment[]> {
    const segments: Segment[] = [];
    let dispatches: Dispatch[] = [];
    for (const op of stageProgram(this.stage, size).ops) {
      if (size[op.rows] === 0) continue;
      if (op.kind === "collective") {
        if (!this.#peers) {
          throw new RangeError(
            `Cannot run ${op.op} of "${op.tensor}": one rank has nobody to meet`,
          );
        }
        segments.push({ dispatches, collective: op });
        dispatches = [];
        continue;
      }
      const variant = await this.#choose(op.operation);
      const program = variant.program();
      await this.#device.pipelines.compile(program);
      const { names } = op.operation;
      // Programs of one name and one set of buffers differ in workgroup counts only.
      const key = `${program.name} ${op.layer} ${Object.values(names).join(" ")}`;
      let bound = this.#bound.get(key);
      if (!bound) {
        const buffers = Object.entries(names).map((
          [own, joint],
        ) => [own, this.#buffers.get(joint)!]);
        bound = this.#device.bind(program, {
          ...Object.fromEntries(buffers),
          params: this.#rows[op.rows],
        });
        this.#bound.set(key, bound);
      }
      dispatches.push({ ...bound, program });
    }
    await this.#device.errors.settle();
    return [...segments, { dispatches, collective: undefined }];
  }

  #check({ tokenIds, positions, slots, samples }: TokenBatch, input?: HiddenStates): void {
    const { stage } = this;
    if (stageEnds(stage).isFirst === (input !== undefined)) {
      throw new RangeError("Cannot run the batch: hidden states go to every stage but the first");
    }
    const tokens = tokenIds.length;
    if (tokens < 1 || tokens > stage.maxTokens) {
      throw new RangeError(`Cannot run ${tokens} tokens: legal are 1 to ${stage.maxTokens}`);
    }
    if (positions.length !== tokens || slots.length !== tokens) {
      throw new RangeError("Cannot run a batch whose tokens, positions and slots differ in number");
    }
    const within = (name: string, values: readonly number[], end: number) => {
      const found = values.find((value) => !Number.isInteger(value) || value < 0 || value >= end);
      if (found !== undefined) {
        throw new RangeError(`Cannot run ${name} ${found}: legal are 0 to ${end - 1}`);
      }
    };
    within("token id", tokenIds, stage.model.vocab);
    within("position", positions, stage.context);
    within("slot", slots, stage.slots);
    within("sample", samples, tokens);
    if (
      samples.length > maxSamples(stage) || samples.some((s, i) => i > 0 && s <= samples[i - 1]!)
    ) {
      throw new RangeError(`Cannot sample ${samples}: at most ${maxSamples(stage)}, ascending`);
    }
  }

  #upload(batch: TokenBatch, size: BatchSize): void {
    const upload = (name: string, values: readonly number[]) => {
      const buffer = this.#buffers.get(name);
      if (buffer) this.#device.upload(buffer, Uint32Array.from(values));
    };
    upload("input.ids", batch.tokenIds);
    upload("input.positions", batch.positions);
    upload("input.slots", batch.slots);
    if (size.samples < size.tokens) upload("input.samples", batch.samples);
    for (const key of ["tokens", "samples"] as const) {
      if (this.#rowsNow[key] === size[key]) continue;
      this.#device.upload(this.#rows[key], Uint32Array.of(size[key]));
      this.#rowsNow[key] = size[key];
    }
  }
}

function planKey({ tokens, samples }: BatchSize): string {
  return `${tokens} ${samples}`;
}
