import { EngineCore, type Executor } from "../schedules/engine_core.ts";
import { Scheduler } from "../schedules/scheduler.ts";
import type { BatchSize } from "../model/stage_program.ts";

/** What a step took. */
export interface DecoderTimes {
  /** From submitting to the token ids on the host. */
  readonly hostUs: number;
  /** On the adapters' clocks, stage after stage; undefined where they have none. */
  readonly gpuUs: number | undefined;
}

/** An open model, on one rank or on several. */
export interface Decoder extends AsyncDisposable {
  /** Most tokens of a batch. */
  readonly maxTokens: number;
  /** Runs batches, one at a time. */
  readonly executor: Executor;
  /** Makes ready for batches of these sizes. */
  readonly prepare: (sizes: readonly BatchSize[]) => Promise<void>;
  /** The logits of the last batch's sampled tokens, a row of V each. */
  readonly logits: (logitsRows: number) => Promise<readonly Float32Array[]>;
  /** What every step since this was last asked took. */
  readonly times: () => Promise<readonly DecoderTimes[]>;
}

/** How fast a generation went; units in the names. */
export interface GenerationSpeed {
  /** Tokens of the prompt. */
  readonly prefill_tokens: number;
  /** Of the prompt, over the steps that took it in. */
  readonly prefill_tokens_per_s: number;
  /** Tokens after the first, which prefill gives. */
  readonly decode_tokens: number;
  /** Of them, over their steps. */
  readonly decode_tokens_per_s: number;
  /** Share of decode steps' wall time in which no adapter worked; 0 without timestamps. */
  readonly host_overhead_pct: number;
}

/** What is generated. */
export interface GenerationRequest {
  /** Token ids of the prompt, one or more. */
  readonly promptTokenIds: readonly number[];
  /** Tokens to generate. */
  readonly maxTokens: number;
}

/** Ranks note what they did until they are asked: after so many steps, so that they keep no more. */
const STEPS_NOTED = 256;

/** Steps and what they took together, in us. */
interface StepTotals {
  steps: number;
  hostUs: number;
  gpuUs: number;
}

/** The generation whose steps a decoder ran last, and whether it still runs them. */
const NEWEST = new WeakMap<Decoder, { readonly generation: Generation; isRunning: boolean }>();

/** Greedy decoding of one prompt. */
export class Generation {
  readonly #decoder: Decoder;
  readonly #request: GenerationRequest;
  #prefillSteps = 0;
  #prefill = noSteps();
  #decode = noSteps();

  /** A generation that has not begun. */
  constructor(decoder: Decoder, request: GenerationRequest) {
    this.#decoder = decoder;
    this.#request = request;
  }

  /**
   * The generated token ids, each as soon as it is known.
   * @throws {Error} where another generation of the decoder is under way: they would share a cache.
   */
  async *tokens(): AsyncGenerator<number> {
    const before = NEWEST.get(this.#decoder);
    if (before?.isRunning) {
      throw new Error("Cannot generate: another generation of this decoder has not ended");
    }
    const state = { generation: this, isRunning: true };
    NEWEST.set(this.#decoder, state);
    try {
      const times = await this.#decoder.times();
      if (before) before.generation.#take(times); // its steps that nobody has asked for yet
      this.#prefillSteps = 0;
      this.#prefill = noSteps();
      this.#decode = noSteps();
      yield* this.#run();
    } finally {
      state.isRunning = false;
    }
  }

  async *#run(): AsyncGenerator<number> {
    const { maxTokens, executor } = this.#decoder;
    const scheduler = new Scheduler({ maxNumBatchedTokens: maxTokens, maxNumSeqs: 1 });
    scheduler.add({ id: 0, ...this.#request });
    const engine = new EngineCore(scheduler, executor);
    // Compiling and tuning belong to no token.
    const sizes = [{ tokens: 1, logitsRows: 1 }];
    for (let rest = this.#request.promptTokenIds.length; rest > 0; rest -= maxTokens) {
      const isLast = rest <= maxTokens;
      sizes.push({ tokens: Math.min(rest, maxTokens), logitsRows: isLast ? 1 : 0 });
    }
    await this.#decoder.prepare(sizes);
    let isPrefill = true;
    for (let steps = 1; engine.isBusy; steps++) {
      const out = await engine.step();
      if (!out) continue;
      if (isPrefill) this.#prefillSteps++;
      if (out.newTokens.length > 0) isPrefill = false;
      if (steps % STEPS_NOTED === 0) this.#take(await this.#decoder.times());
      for (const { tokenId } of out.newTokens) yield tokenId;
    }
  }

  /** What the steps so far took. */
  async speed(): Promise<GenerationSpeed> {
    if (NEWEST.get(this.#decoder)?.generation === this) this.#take(await this.#decoder.times());
    const [prefill, decode] = [this.#prefill, this.#decode];
    const tokens = this.#request.promptTokenIds.length;
    const perS = (count: number, { hostUs }: StepTotals) => hostUs === 0 ? 0 : count / hostUs * 1e6;
    return {
      prefill_tokens: tokens,
      prefill_tokens_per_s: perS(tokens, prefill),
      decode_tokens: decode.steps,
      decode_tokens_per_s: perS(decode.steps, decode),
      host_overhead_pct: decode.hostUs === 0 ? 0 : 100 * (1 - decode.gpuUs / decode.hostUs),
    };
  }

  /** Adds what further steps took, oldest first: the first ones took in the prompt. */
  #take(times: readonly DecoderTimes[]): void {
    for (const { hostUs, gpuUs } of times) {
      const totals = this.#prefill.steps < this.#prefillSteps ? this.#prefill : this.#decode;
      totals.steps++;
      totals.hostUs += hostUs;
      totals.gpuUs += gpuUs ?? hostUs;
    }
  }
}

function noSteps(): StepTotals {
  return { steps: 0, hostUs: 0, gpuUs: 0 };
}
