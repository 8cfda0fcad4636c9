import type { DeviceBuffer } from "../device/buffer.ts";
import type { Device } from "../device/device.ts";
import { DeviceError } from "../device/device_error.ts";
import type { Dispatch } from "../device/dispatch.ts";
import { TimestampBatch } from "../device/timestamps.ts";
import { bufferBytes, type Tensor } from "../kernels/kernel.ts";
import type { Operation, OperationVariant } from "../kernels/operation.ts";
import { packTensor } from "../kernels/pack.ts";
import { maxSamples, memoryProblem, stageBuffers } from "../model/stage_memory.ts";
import { type BatchSize, type Stage, stageProgram } from "../model/stage_program.ts";
import { stageWeights } from "../model/stage_weights.ts";
import { hostWeight, type WeightSource } from "../model/weight_source.ts";

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

/** What a forward pass gave and took. */
export interface StepResult {
  /** The greedy successor of each sampled token. */
  readonly tokenIds: readonly number[];
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
}

/** Bytes of one pass's two timestamps, ahead of the token ids in the read-back. */
const TIME_BYTES = 16;
/** Uploads up to this size are not waited for. */
const FREE_UPLOAD_BYTES = 2 ** 20;

interface Plan {
  readonly dispatches: readonly Dispatch[];
}

/** One rank: a stage's weights and KV cache on a device, and its forward pass. */
export class Rank implements Disposable {
  readonly stage: Stage;
  readonly #device: Device;
  readonly #choose: ChooseVariant;
  readonly #buffers = new Map<string, DeviceBuffer>();
  readonly #rows: Readonly<Record<keyof BatchSize, DeviceBuffer>>;
  readonly #rowsNow: Record<keyof BatchSize, number> = { tokens: 0, samples: 0 };
  readonly #readout: DeviceBuffer;
  readonly #times: TimestampBatch | undefined;
  readonly #bound = new Map<string, Dispatch>();
  readonly #plans = new Map<string, Plan>();

  private constructor(device: Device, { stage, choose }: RankOptions) {
    this.#device = device;
    this.#choose = choose;
    this.stage = stage;
    for (const [name, tensor] of stageBuffers(stage)) {
      this.#buffers.set(name, device.allocate({ label: name, bytes: bufferBytes(tensor) }));
    }
    const rows = (label: string) => device.allocate({ label, bytes: 32, uniform: true });
    this.#rows = { tokens: rows("rank.tokens"), samples: rows("rank.samples") };
    const bytes = TIME_BYTES + 4 * maxSamples(stage);
    this.#readout = device.allocate({ label: "rank.readout", bytes });
    this.#times = device.timestamps(1);
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
    if (!this.#plans.has(key)) this.#plans.set(key, await this.#plan(size));
  }

  /**
   * Runs a batch: keys and values are appended to the cache, and the greedy successors of the sampled
   * tokens come back. One submission, one read-back.
   * @throws {RangeError} where the batch does not fit the stage.
   */
  async step(batch: TokenBatch): Promise<StepResult> {
    this.#check(batch);
    const size = { tokens: batch.tokenIds.length, samples: batch.samples.length };
    await this.prepare(size);
    const { dispatches } = this.#plans.get(planKey(size))!;
    const start = performance.now();
    this.#upload(batch, size);
    const times = this.#times;
    const commands = this.#device.encode(
      [{ dispatches, timestampWrites: times?.writes(0) }],
      (encoder) => {
        const to = this.#readout.gpu;
        times?.resolve(encoder, 1);
        if (times) encoder.copyBufferToBuffer(times.buffer, 0, to, 0, TIME_BYTES);
        const ids = this.#buffers.get("output.token_ids");
        if (ids && size.samples > 0) {
          encoder.copyBufferToBuffer(ids.gpu, 0, to, TIME_BYTES, 4 * size.samples);
        }
      },
    );
    const bytes = this.#readout.bytes;
    let submitted: number;
    let data: ArrayBuffer;
    if (this.#device.readBack.mode === "eager") {
      const pending = this.#device.submitAndRead([commands], this.#readout, bytes);
      submitted = performance.now();
      data = pending.finish();
    } else {
      this.#device.submit([commands]);
      submitted = performance.now();
      data = await this.#device.readBack.read(this.#readout.gpu, { bytes });
    }
    const done = performance.now();
    await this.#device.readBack.yield();
    return {
      tokenIds: [...new Uint32Array(data, TIME_BYTES, size.samples)],
      gpuUs: times ? TimestampBatch.durationsUs(data.slice(0, TIME_BYTES))[0] : undefined,
      hostUs: (done - start) * 1000,
      submitUs: (submitted - start) * 1000,
      waitUs: (done - submitted) * 1000,
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

  async #plan(size: BatchSize): Promise<Plan> {
    const dispatches: Dispatch[] = [];
    for (const op of stageProgram(this.stage, size).ops) {
      if (op.kind === "collective") {
        throw new RangeError(`Cannot run ${op.op} of "${op.tensor}": one rank has nobody to meet`);
      }
      if (size[op.rows] === 0) continue;
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
    return { dispatches };
  }

  #check({ tokenIds, positions, slots, samples }: TokenBatch): void {
    const { stage } = this;
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
