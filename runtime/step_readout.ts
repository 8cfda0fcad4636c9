import type { DeviceBuffer } from "../device/buffer.ts";
import type { Device } from "../device/device.ts";
import { TimestampBatch } from "../device/timestamps.ts";
import { tensorBytes } from "../kernels/kernel.ts";
import { maxLogitsRows, stageBuffers } from "../model/stage_memory.ts";
import { type BatchSize, type Stage, stageEnds } from "../model/stage_program.ts";
import type { Span } from "./replica_trace.ts";
import type { HiddenStates } from "./token_batch.ts";

/** Bytes of one pass's two timestamps. */
const TIME_BYTES = 16;

/**
 * What the last submission of a step leaves to be read, all in one buffer: the times of all passes,
 * then the token ids, or the hidden states where another stage follows.
 */
export class StepReadout implements Disposable {
  readonly buffer: DeviceBuffer;
  /** Undefined where the adapter has no clock. */
  readonly times: TimestampBatch | undefined;
  readonly #tensors: ReadonlyMap<string, DeviceBuffer>;
  /** Whether the stage hands its hidden states to another. */
  readonly #hands: boolean;
  /** Bytes of a token's hidden state. */
  readonly #hiddenBytes: number;

  /** Room for the largest step of a stage; `tensors` are its buffers by joint name. */
  constructor(
    device: Device,
    { stage, tensors }: {
      readonly stage: Stage;
      readonly tensors: ReadonlyMap<string, DeviceBuffer>;
    },
  ) {
    this.#tensors = tensors;
    this.#hands = !stageEnds(stage).isLast;
    const delta = stageBuffers(stage).get("state.delta")!;
    this.#hiddenBytes = tensorBytes({ ...delta, rows: 1 });
    // A submission for each collective, and the last one.
    this.times = device.timestamps(2 * (stage.endLayer - stage.firstLayer) + 3);
    const bytes = this.bytes({
      tokens: stage.maxNumBatchedTokens,
      logitsRows: maxLogitsRows(stage),
    });
    this.buffer = device.allocate({ label: "rank.readout", bytes });
  }

  /** Bytes that a step of a size leaves. */
  bytes({ tokens, logitsRows }: BatchSize): number {
    const rest = this.#hands ? 2 * tokens * this.#hiddenBytes : 4 * logitsRows;
    return this.#timeBytes + rest;
  }

  /** Records the copies, after `passes` timed passes. */
  record(encoder: GPUCommandEncoder, { tokens, logitsRows }: BatchSize, passes: number): void {
    const to = this.buffer.gpu;
    const { times } = this;
    times?.resolve(encoder, passes);
    if (times) encoder.copyBufferToBuffer(times.buffer, 0, to, 0, TIME_BYTES * passes);
    let offset = this.#timeBytes;
    const copy = (name: string, bytes: number) => {
      const from = this.#tensors.get(name);
      if (from && bytes > 0) encoder.copyBufferToBuffer(from.gpu, 0, to, offset, bytes);
      offset += bytes;
    };
    if (this.#hands) {
      copy("state.delta", tokens * this.#hiddenBytes);
      copy("state.residual_a", tokens * this.#hiddenBytes);
    } else copy("output.token_ids", 4 * logitsRows);
  }

  /** The token ids that were read, NO_TOKEN where logits are not finite; none where the stage does not choose them by itself. */
  tokenIds(data: ArrayBuffer, { logitsRows }: BatchSize): readonly number[] {
    return this.#tensors.has("output.token_ids")
      ? [...new Int32Array(data, this.#timeBytes, logitsRows)]
      : [];
  }

  /** The hidden states that were read, where another stage follows. */
  hidden(data: ArrayBuffer, { tokens }: BatchSize): HiddenStates | undefined {
    return this.#hands
      ? new Float32Array(data, this.#timeBytes, 2 * tokens * this.#hiddenBytes / 4)
      : undefined;
  }

  /**
   * Gives the computing spans their times; the sum of them in us, where the adapter has a clock that
   * timed all of them.
   */
  takeTimes(data: ArrayBuffer, spans: readonly Span[]): number | undefined {
    if (!this.times) return undefined;
    const durations = TimestampBatch.durationsUs(data.slice(0, this.#timeBytes));
    const computing = spans.filter(({ kind }) => kind === "compute");
    let sum: number | undefined = 0;
    for (const [i, span] of computing.entries()) {
      const us = durations[i];
      if (us !== undefined) span.gpuUs = us;
      sum = us === undefined || sum === undefined ? undefined : sum + us;
    }
    return sum;
  }

  [Symbol.dispose](): void {
    this.buffer.destroy();
    this.times?.[Symbol.dispose]();
  }

  get #timeBytes(): number {
    return TIME_BYTES * (this.times?.capacity ?? 1);
  }
}
