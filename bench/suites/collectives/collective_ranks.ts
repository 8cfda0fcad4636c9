import { createCommunicatorState } from "../../../collectives/transports/communicator_state.ts";
import { abort } from "../../../collectives/transports/communicator.ts";
import { WorkerRanks } from "../../../runtime/worker_ranks.ts";
import type { LoopRequest, LoopResult } from "./collective_loop.ts";
import type { RankMessage } from "./collective_worker.ts";

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

/** Ranks in Workers of this process, over one shared memory. */
export class CollectiveRanks implements AsyncDisposable {
  readonly ranks: number;
  readonly #workers: WorkerRanks<RankMessage>;

  private constructor(ranks: number, workers: WorkerRanks<RankMessage>) {
    this.ranks = ranks;
    this.#workers = workers;
  }

  /** Starts the Workers; needs read permission for this program's own files. */
  static async open(options: RanksOptions): Promise<CollectiveRanks> {
    const { ranks, timeoutMs = 20_000 } = options;
    const shared = createCommunicatorState({ ...options, timeoutMs });
    const workers = Array.from(
      { length: ranks },
      () => new Worker(new URL("./collective_worker.ts", import.meta.url), { type: "module" }),
    );
    const opened = new WorkerRanks<RankMessage>(workers, {
      leave: { kind: "leave" },
      onFailure: (rank) => abort(shared, rank),
    });
    await opened.askAll((rank) => ({ kind: "join", shared, rank }));
    return new CollectiveRanks(ranks, opened);
  }

  /** Measures a case on all ranks; results by rank. */
  async measure(request: LoopRequest): Promise<readonly LoopResult[]> {
    return await this.#workers.askAll(() => ({ kind: "measure", request })) as LoopResult[];
  }

  /** Makes one rank misbehave before the others' next barrier: for tests. */
  async misbehave(
    rank: number,
    how: Extract<RankMessage, { kind: "misbehave" }>["how"],
    then: LoopRequest,
  ): Promise<void> {
    this.#workers.ask(rank, { kind: "misbehave", how });
    await this.#workers.askAll(() => ({ kind: "measure", request: then }));
  }

  /** Lets every rank free what it holds and close itself; one that hangs is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workers[Symbol.asyncDispose]();
  }
}
