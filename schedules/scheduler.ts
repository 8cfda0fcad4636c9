import { LogitsError, NO_TOKEN } from "./logits_error.ts";
import type { ReplicaLoad } from "./router.ts";

/** What a user asks for: a prompt and how many tokens to generate greedily. */
export interface Request {
  /** What names it. */
  readonly id: number;
  /** Token ids of the prompt, one or more. */
  readonly promptTokenIds: readonly number[];
  /** Tokens to generate. */
  readonly maxTokens: number;
}

/** Some tokens of one request in a batch. */
export interface ScheduledTokens {
  /** Whose they are. */
  readonly requestId: number;
  /** Place of the request in the KV cache. */
  readonly slot: number;
  /** Position of the first token. */
  readonly start: number;
  /** The tokens, one after another. */
  readonly tokenIds: readonly number[];
  /** Whether the last token's successor is wanted: it is the newest that is known. */
  readonly isSampled: boolean;
}

/** What is run together; empty where nothing can be scheduled yet. */
export interface SchedulerOutput {
  /** The requests in it. */
  readonly scheduled: readonly ScheduledTokens[];
}

/** A token that came out. */
export interface NewToken {
  /** Whose it is. */
  readonly requestId: number;
  /** What it is. */
  readonly tokenId: number;
  /** Whether it is the request's last. */
  readonly isLast: boolean;
}

/** Bounds of a batch, with vLLM's names. */
export interface SchedulerLimits {
  /** Most tokens of a batch. */
  readonly maxNumBatchedTokens: number;
  /** Most requests running at once. */
  readonly maxNumSeqs: number;
  /** Most requests of one batch: what splits them over several; as many as run, where absent. */
  readonly maxSeqsPerBatch?: number;
}

interface Running {
  readonly request: Request;
  readonly slot: number;
  readonly known: number[];
  computed: number;
}

/**
 * Decides which tokens run next, as vLLM's: running requests first, then waiting ones, prompts in
 * chunks that fill the rest of the token budget. Counters of computed tokens advance when a batch is
 * scheduled, so chunks of a prompt may be in flight together; a decode token is scheduled only when
 * its predecessor is back.
 */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #waiting: Request[] = [];
  readonly #running: Running[] = [];
  readonly #freeSlots: number[];

  /**
   * A scheduler without requests.
   * @throws {RangeError} where a limit is no whole number of 1 or more.
   */
  constructor(limits: SchedulerLimits) {
    for (const [name, value] of Object.entries(limits)) {
      if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
        throw new RangeError(
          `Cannot schedule with ${name} "${value}": legal is a whole number, 1 or more`,
        );
      }
    }
    this.#limits = limits;
    this.#freeSlots = Array.from({ length: limits.maxNumSeqs }, (_, slot) => slot);
  }

  /** Whether any request is unfinished. */
  get hasRequests(): boolean {
    return this.#waiting.length > 0 || this.#running.length > 0;
  }

  /** Requests that wait and run, and the tokens they still need: what a router of replicas looks at. */
  get load(): ReplicaLoad {
    const total = ({ promptTokenIds, maxTokens }: Request) => promptTokenIds.length + maxTokens;
    const tokens = this.#waiting.reduce((sum, request) => sum + total(request), 0) +
      this.#running.reduce((sum, { request, computed }) => sum + total(request) - computed, 0);
    return { waiting: this.#waiting.length, running: this.#running.length, tokens };
  }

  /**
   * Lets a request wait behind those that do.
   * @throws {RangeError} where it has no prompt, or nothing to generate.
   */
  add(request: Request): void {
    if (request.promptTokenIds.length === 0 || request.maxTokens < 1) {
      throw new RangeError(
        `Cannot run request ${request.id}: it needs a prompt and a token to generate`,
      );
    }
    this.#waiting.push(request);
  }

  /** The next batch, at most `maxNumBatchedTokens` tokens; its tokens count as computed from here on. */
  schedule(): SchedulerOutput {
    const scheduled: ScheduledTokens[] = [];
    const { maxSeqsPerBatch = Infinity } = this.#limits;
    let budget = this.#limits.maxNumBatchedTokens;
    const take = (running: Running) => {
      const { request, slot, known, computed } = running;
      const count = Math.min(known.length - computed, budget);
      if (count === 0 || scheduled.length === maxSeqsPerBatch) return;
      running.computed += count;
      budget -= count;
      scheduled.push({
        requestId: request.id,
        slot,
        start: computed,
        tokenIds: known.slice(computed, computed + count),
        isSampled: running.computed === known.length,
      });
    };
    for (const running of this.#running) take(running);
    const hasRoom = () => budget > 0 && scheduled.length < maxSeqsPerBatch;
    while (hasRoom() && this.#waiting.length > 0 && this.#freeSlots.length > 0) {
      const request = this.#waiting.shift()!;
      const slot = this.#freeSlots.shift()!;
      const running = { request, slot, known: [...request.promptTokenIds], computed: 0 };
      this.#running.push(running);
      take(running);
    }
    return { scheduled };
  }

  /**
   * Takes the new tokens of a batch, in the order of its sampled requests; finished requests leave.
   * @throws {RangeError} where they are not as many as were sampled.
   * @throws {LogitsError} where one is {@linkcode NO_TOKEN}.
   */
  updateFromOutput(
    { scheduled }: SchedulerOutput,
    tokenIds: readonly number[],
  ): readonly NewToken[] {
    const sampled = scheduled.filter((part) => part.isSampled);
    if (tokenIds.length !== sampled.length) {
      throw new RangeError(`Cannot take ${tokenIds.length} tokens for ${sampled.length} samples`);
    }
    return sampled.map(({ requestId }, i) => {
      const place = this.#running.findIndex(({ request }) => request.id === requestId);
      const running = this.#running[place]!;
      const tokenId = tokenIds[i]!;
      if (tokenId === NO_TOKEN) throw new LogitsError(requestId, running.known.length);
      running.known.push(tokenId);
      const { promptTokenIds, maxTokens } = running.request;
      const isLast = running.known.length === promptTokenIds.length + maxTokens;
      if (isLast) {
        this.#running.splice(place, 1);
        this.#freeSlots.push(running.slot);
      }
      return { requestId, tokenId, isLast };
    });
  }
}
