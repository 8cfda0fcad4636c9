import {
  communicatorProgress,
  createCommunicatorState,
} from "../../../collectives/transports/communicator_state.ts";
import { createWatchdogState } from "../../../collectives/transports/watchdog.ts";
import { type Deadlines, LEAVE_MS, WorkerRanks } from "../../../runtime/worker_ranks.ts";
import type { LoopCase, LoopRequest, LoopResult } from "./collective_loop.ts";
import type { RankMessage } from "./collective_worker.ts";

/** How ranks are set up. */
export interface RanksOptions {
  readonly ranks: number;
  /** Elements that each of a rank's memories can hold. */
  readonly capacity: number;
  /** Sums in WASM SIMD, or in plain TypeScript; wasm where absent. */
  readonly sums?: "wasm" | "plain";
  /** How long ranks wait for each other, and how long none may come anywhere, in ms; 120 s where absent. */
  readonly timeoutMs?: number;
  /** Ends every wait for the ranks at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Starts a Worker that serves as a rank; collective_worker.ts where absent. */
  readonly startWorker?: (rank: number) => Worker;
}

/** A rank's first turn on device memory opens its device, which may take long. */
const TIMEOUT_MS = 120_000;

/** How long a rank may be silent after each question, in ms; a barrier that it comes to is a sign of life. */
export function collectiveDeadlinesMs(timeoutMs: number = TIMEOUT_MS): Deadlines<RankMessage> {
  return {
    join: timeoutMs,
    measure: timeoutMs,
    back_to_back: timeoutMs,
    follow: timeoutMs,
    leave: LEAVE_MS,
  };
}

/** Starts a rank of the collectives suite; needs read permission for this program's own files. */
export function startCollectiveWorker(): Worker {
  return new Worker(new URL("./collective_worker.ts", import.meta.url), { type: "module" });
}

/** Ranks in Workers of this process, over one shared memory. */
export class CollectiveRanks implements AsyncDisposable {
  readonly ranks: number;
  readonly #workers: WorkerRanks<RankMessage>;

  private constructor(ranks: number, workers: WorkerRanks<RankMessage>) {
    this.ranks = ranks;
    this.#workers = workers;
  }

  /**
   * Starts the Workers; needs read permission for this program's own files.
   * @throws {RangeError} where there are too many ranks, or there is too little memory.
   */
  static async open(
    { ranks, timeoutMs = TIMEOUT_MS, signal, startWorker = startCollectiveWorker, ...rest }:
      RanksOptions,
  ): Promise<CollectiveRanks> {
    const globalRanks = [...Array(ranks).keys()];
    const watchdog = createWatchdogState(globalRanks, timeoutMs);
    const state = createCommunicatorState({ ...rest, globalRanks, watchdog });
    await using stack = new AsyncDisposableStack();
    const workers = stack.use(
      new WorkerRanks<RankMessage>(globalRanks.map((rank) => startWorker(rank)), {
        globalRanks,
        watchdog,
        leave: { kind: "leave" },
        deadlinesMs: collectiveDeadlinesMs(timeoutMs),
        progress: () => communicatorProgress(state),
        signal,
      }),
    );
    await workers.askAll((rank) => ({ kind: "join", state, rank }));
    stack.move();
    return new CollectiveRanks(ranks, workers);
  }

  /** Measures a case on all ranks; results by rank. */
  async measure(request: LoopRequest): Promise<readonly LoopResult[]> {
    return await this.#workers.askAll(() => ({ kind: "measure", request })) as LoopResult[];
  }

  /** Runs a case so many times without a check between: microseconds a run of the slowest rank. */
  async backToBack(c: LoopCase, runs: number): Promise<number> {
    const times = await this.#workers.askAll(() => ({ kind: "back_to_back", case: c, runs }));
    return Math.max(...times as number[]);
  }

  /** Lets every rank free what it holds and close itself; one that hangs is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workers[Symbol.asyncDispose]();
  }
}
