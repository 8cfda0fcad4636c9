import {
  blame,
  RankError,
  type SharedRanks,
  shareMemory,
  spinsFor,
} from "../collectives/transports/shared_memory.ts";
import type { LoopRequest, LoopResult } from "./collective_loop.ts";
import type { RankAnswer, RankMessage } from "./collective_worker.ts";

/** How ranks are set up. */
export interface RanksOptions {
  readonly ranks: number;
  /** Elements that each of a rank's memories can hold. */
  readonly capacity: number;
  /** Sums in WASM SIMD, or in plain TypeScript. */
  readonly sums?: "wasm" | "plain";
  /** How long ranks wait for each other, in ms. */
  readonly timeoutMs?: number;
}

/** A rank that was asked to leave and has not gone by then is stopped. */
const LEAVE_MS = 2000;
/** After a failure, no longer than this. */
const LEAVE_FAILED_MS = 200;
const GRACE_MS = 300;

/** Ranks in Workers of this process, over one shared memory. */
export class CollectiveRanks implements AsyncDisposable {
  readonly ranks: number;
  readonly #shared: SharedRanks;
  readonly #workers: readonly Worker[];
  #failure: RankError | undefined;

  private constructor(shared: SharedRanks, workers: readonly Worker[]) {
    this.ranks = shared.ranks;
    this.#shared = shared;
    this.#workers = workers;
  }

  /** Starts the Workers; needs read permission for this program's own files. */
  static async open(options: RanksOptions): Promise<CollectiveRanks> {
    const { ranks, capacity, sums = "wasm", timeoutMs = 20_000 } = options;
    const binary = new URL("../collectives/reduce.wasm", import.meta.url);
    const shared: SharedRanks = {
      memory: shareMemory(ranks, capacity),
      reduce: sums === "wasm" ? new WebAssembly.Module(Deno.readFileSync(binary)) : undefined,
      ranks,
      capacity,
      timeoutMs,
      spins: spinsFor(ranks, navigator.hardwareConcurrency),
    };
    const workers = Array.from(
      { length: ranks },
      () => new Worker(new URL("./collective_worker.ts", import.meta.url), { type: "module" }),
    );
    const opened = new CollectiveRanks(shared, workers);
    await opened.#askAll((rank) => ({ kind: "join", shared, rank }));
    return opened;
  }

  /** Measures a case on all ranks; results by rank. */
  async measure(request: LoopRequest): Promise<readonly LoopResult[]> {
    return await this.#askAll(() => ({ kind: "measure", request })) as LoopResult[];
  }

  /** Makes one rank misbehave before the others' next barrier: for tests. */
  async misbehave(
    rank: number,
    how: Extract<RankMessage, { kind: "misbehave" }>["how"],
    then: LoopRequest,
  ): Promise<void> {
    this.#workers[rank]!.postMessage({ kind: "misbehave", how } satisfies RankMessage);
    await this.#askAll(() => ({ kind: "measure", request: then }));
  }

  /** Lets every rank free what it holds and close itself; one that hangs is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => {
      const timer = new AbortController();
      const left = new Promise<void>((resolve) => {
        worker.onmessage = () => resolve();
        worker.onerror = (event) => {
          event.preventDefault();
          resolve();
        };
        worker.postMessage({ kind: "leave" } satisfies RankMessage);
      });
      const isLate = await Promise.race([
        left.then(() => false),
        expire(this.#failure ? LEAVE_FAILED_MS : LEAVE_MS, timer.signal),
      ]);
      timer.abort();
      if (isLate) worker.terminate();
    }));
  }

  /** Sends each rank a message and waits for all answers; the first failure is everyone's. */
  async #askAll(message: (rank: number) => RankMessage): Promise<readonly unknown[]> {
    if (this.#failure) throw this.#failure;
    const answers = this.#workers.map((worker, rank) =>
      new Promise<RankAnswer>((resolve) => {
        worker.onmessage = ({ data }: MessageEvent<RankAnswer>) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          blame(this.#shared, rank);
          resolve({ kind: "failed", message: event.message });
        };
        worker.postMessage(message(rank));
      })
    );
    const failure = new Promise<RankError>((resolve) => {
      answers.forEach(async (answer, rank) => {
        const given = await answer;
        if (given.kind === "failed") resolve(rankError(given.message, rank));
      });
    });
    const all = Promise.all(answers);
    const first = await Promise.race([all, failure]);
    if (first instanceof RankError) {
      // Peers notice within a moment; one that cannot answer any more is not waited for.
      const timer = new AbortController();
      await Promise.race([all, expire(GRACE_MS, timer.signal)]);
      timer.abort();
      this.#failure = first;
      throw first;
    }
    return first.map((answer) => answer.kind === "done" ? answer.result : undefined);
  }
}

/** The error of the rank at fault: a peer's message names it, its own message is its own. */
function rankError(message: string, rank: number): RankError {
  const [, culprit, what] = /^Cannot go on: rank (\d+) (.*)$/.exec(message) ?? [];
  return culprit === undefined
    ? new RankError(rank, `failed: ${message}`)
    : new RankError(Number(culprit), what!);
}

/** True after so many ms, unless it is called off. */
function expire(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}
