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

/** The generation whose steps a decoder ran last, and whether it still runs them. */
const NEWEST = new WeakMap<Decoder, { readonly generation: Generation; isRunning: boolean }>();

/** Greedy decoding of one prompt. */
export class Generation {
  readonly #decoder: Decoder;
  readonly #request: GenerationRequest;
  #prefillSteps = 0;
  #times: DecoderTimes[] = [];

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
      if (before) before.generation.#times.push(...times); // its steps that nobody has asked for yet
      this.#times = [];
      this.#prefillSteps = 0;
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
    while (engine.isBusy) {
      const out = await engine.step();
      if (!out) continue;
      if (isPrefill) this.#prefillSteps++;
      if (out.newTokens.length > 0) isPrefill = false;
      for (const { tokenId } of out.newTokens) yield tokenId;
    }
  }

  /** What the steps so far took. */
  async speed(): Promise<GenerationSpeed> {
    if (NEWEST.get(this.#decoder)?.generation === this) {
      this.#times.push(...await this.#decoder.times());
    }
    const prefill = this.#times.slice(0, this.#prefillSteps);
    const decode = this.#times.slice(this.#prefillSteps);
    const total = (steps: readonly DecoderTimes[], of: (step: DecoderTimes) => number) =>
      steps.reduce((sum, step) => sum + of(step), 0);
    const perS = (count: number, steps: readonly DecoderTimes[]) =>
      steps.length === 0 ? 0 : count / total(steps, (step) => step.hostUs) * 1e6;
    const hostUs = total(decode, (step) => step.hostUs);
    const gpuUs = total(decode, (step) => step.gpuUs ?? step.hostUs);
    return {
      prefill_tokens: this.#request.promptTokenIds.length,
      prefill_tokens_per_s: perS(this.#request.promptTokenIds.length, prefill),
      decode_tokens: decode.length,
      decode_tokens_per_s: perS(decode.length, decode),
      host_overhead_pct: hostUs === 0 ? 0 : 100 * (1 - gpuUs / hostUs),
    };
  }
}
