/** One replica of a decoder: tensor parallel ranks of pipeline stages, each in a Worker with a device. */

import {
  type CommunicatorState,
  createCommunicatorState,
} from "../collectives/transports/communicator_state.ts";
import {
  createP2PChannelState,
  type P2PChannelState,
} from "../collectives/transports/p2p_channel.ts";
import { createWatchdogState, type WatchdogState } from "../collectives/transports/watchdog.ts";
import type { AdapterOptions } from "../device/adapter.ts";
import { vec4s } from "../kernels/kernel.ts";
import type { PoolRank } from "../model/replicas.ts";
import type { WeightsOrigin } from "../model/open_weights.ts";
import { maxLogitsRows } from "../model/stage_memory.ts";
import { type BatchSize, type Stage, type StageOp, stageProgram } from "../model/stage_program.ts";
import type { BatchResult, Executor } from "../schedules/engine_core.ts";
import { withAdapterThreads } from "./adapter_threads.ts";
import {
  type OpenedRank,
  OPENING,
  type RankMessage,
  type RankPosition,
  type RankReport,
  type StepWay,
} from "./rank_message.ts";
import { TensorParallelGroup } from "./tensor_parallel_group.ts";
import { tokenBatch } from "./token_batch.ts";
import type { TunedVariants } from "./tuned_variants.ts";
import { type Deadlines, LEAVE_MS, WorkerRanks } from "./worker_ranks.ts";

/** What a replica is made of. */
export interface PoolOptions {
  /** By stage, then by tensor parallel rank. */
  readonly ranks: readonly (readonly PoolRank[])[];
  readonly weights: WeightsOrigin;
  readonly variants: TunedVariants;
  readonly adapter: AdapterOptions;
  /** Threads of each software adapter; all cores where absent. */
  readonly threads?: number | undefined;
  /** Ranks of all replicas together; those of this one where absent. */
  readonly ranksInAll?: number | undefined;
  /** Batches that may be in flight. */
  readonly maxConcurrentBatches: number;
  /** How long a rank may be busy with one part of a step before it counts as failed, in ms. */
  readonly timeoutMs?: number | undefined;
  /** How long a rank may be silent after a question of a kind, in ms; {@linkcode DEADLINES_MS} where absent. */
  readonly deadlinesMs?: Partial<Deadlines<RankMessage>> | undefined;
  /** Ends every wait for the ranks at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Starts a Worker that serves as a rank; rank_worker.ts where absent. */
  readonly startWorker?: ((localRank: number) => Worker) | undefined;
}

/** What a batch gave. */
export interface PoolResult extends BatchResult {
  /** Place of the batch in all that were submitted; undefined for an empty one, which nobody ran. */
  readonly step: number | undefined;
  /** From submitting to the token ids, in ms of this thread's clock. */
  readonly start: number;
  readonly end: number;
}

const TIMEOUT_MS = 120_000;

/**
 * How long a rank may be silent after each question, in ms. A driver's first device and the compiling of
 * large pipelines take their time; a tensor that is loaded, and sizes that are made ready, are signs of life.
 */
export const DEADLINES_MS: Deadlines<RankMessage> = {
  join: 300_000,
  prepare: 300_000,
  step: TIMEOUT_MS,
  logits: TIMEOUT_MS,
  report: TIMEOUT_MS,
  leave: LEAVE_MS,
};

/** Ranks in Workers that run batches, several in flight: an engine's executor. */
export class RankPool implements AsyncDisposable {
  /** Every rank, stage by stage. */
  readonly ranks: readonly PoolRank[];
  readonly #workers: WorkerRanks<RankMessage>;
  readonly #tensorParallelSize: number;
  readonly #maxConcurrentBatches: number;
  readonly #watchdog: WatchdogState;
  /** What each rank says of where it is. */
  readonly #progress: readonly RankPosition[];
  #opened: readonly OpenedRank[] = [];
  #steps = 0;

  private constructor(
    { ranks, maxConcurrentBatches, startWorker = startRankWorker, ...options }: PoolOptions,
  ) {
    const { timeoutMs = TIMEOUT_MS, deadlinesMs, signal } = options;
    this.ranks = ranks.flat();
    const globalRanks = this.ranks.map(({ globalRank }) => globalRank);
    this.#tensorParallelSize = ranks[0]!.length;
    this.#maxConcurrentBatches = maxConcurrentBatches;
    this.#watchdog = createWatchdogState(globalRanks, timeoutMs);
    this.#progress = this.ranks.map(() => new Int32Array(new SharedArrayBuffer(32)));
    this.#workers = new WorkerRanks<RankMessage>(
      globalRanks.map((_, i) => startWorker(i)),
      {
        globalRanks,
        watchdog: this.#watchdog,
        leave: { kind: "leave" },
        deadlinesMs: { ...DEADLINES_MS, step: timeoutMs, ...deadlinesMs },
        progress: () => this.#progress.map((words) => words.join()).join(),
        signal,
        doing: (localRank) => doing(this.ranks[localRank]!.stage, this.#progress[localRank]!),
      },
    );
  }

  /**
   * Starts the ranks: each opens a device and loads its weights. Needs read permission for this
   * program's own files, and to set LP_NUM_THREADS where threads are given.
   */
  static async open(options: PoolOptions): Promise<RankPool> {
    return await withAdapterThreads(options.threads, async () => {
      await using stack = new AsyncDisposableStack();
      const pool = stack.use(new RankPool(options));
      await pool.#join(options);
      stack.move();
      return pool;
    });
  }

  /** What each rank opened and allocated. */
  get opened(): readonly OpenedRank[] {
    return this.#opened;
  }

  /** Makes every rank ready for batches of these sizes. */
  async prepare(sizes: readonly BatchSize[]): Promise<void> {
    await this.#workers.askAll(() => ({ kind: "prepare", sizes }));
  }

  /** An executor over these ranks that keeps up to `maxConcurrentBatches` batches in flight. */
  executor(maxConcurrentBatches: number, way: StepWay): Executor<PoolResult> {
    if (maxConcurrentBatches > this.#maxConcurrentBatches) {
      throw new RangeError(
        `Cannot keep ${maxConcurrentBatches} batches in flight: the ranks take ${this.#maxConcurrentBatches}`,
      );
    }
    return {
      maxConcurrentBatches,
      submit: async (scheduled) => {
        const start = performance.now();
        if (scheduled.scheduled.length === 0) {
          return { tokenIds: [], step: undefined, start, end: start };
        }
        const step = this.#steps++;
        const message: RankMessage = { kind: "step", step, batch: tokenBatch(scheduled), way };
        const output = this.ranks.length - this.#tensorParallelSize;
        const answer = this.#workers.ask(output, message);
        for (const localRank of this.ranks.keys()) {
          if (localRank !== output) this.#workers.tell(localRank, message);
        }
        const tokenIds = await answer as readonly number[];
        return { tokenIds, step, start, end: performance.now() };
      },
    };
  }

  /** The logits of the last batch's sampled tokens, a row of V each. */
  async logits(rows: number): Promise<readonly Float32Array[]> {
    const last = [...this.ranks.keys()].slice(-this.#tensorParallelSize);
    const shards = await Promise.all(
      last.map((localRank) => this.#workers.ask(localRank, { kind: "logits", rows })),
    ) as (readonly Float32Array[])[];
    const { vocab } = this.ranks[0]!.stage.model;
    return Array.from(
      { length: rows },
      (_, row) => Float32Array.from(shards.flatMap((shard) => [...shard[row]!])).slice(0, vocab),
    );
  }

  /** What each rank did since this was last asked. */
  async report(): Promise<readonly RankReport[]> {
    return await this.#workers.askAll(() => ({ kind: "report" })) as RankReport[];
  }

  /** Lets every rank free what it holds and close itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workers[Symbol.asyncDispose]();
  }

  async #join(options: PoolOptions): Promise<void> {
    const { weights, variants, adapter } = options;
    const { channels, groups } = connect(options, this.#watchdog);
    this.#opened = await this.#workers.askAll((localRank) => {
      const stage = Math.floor(localRank / this.#tensorParallelSize);
      const tpRank = localRank % this.#tensorParallelSize;
      return {
        kind: "join",
        setup: {
          ...this.ranks[localRank]!,
          weights,
          variants,
          adapter,
          group: groups[stage],
          previous: channels[stage - 1]?.[tpRank],
          next: channels[stage]?.[tpRank],
          watchdog: this.#watchdog,
          position: this.#progress[localRank]!,
        },
      };
    }) as OpenedRank[];
  }
}

function startRankWorker(): Worker {
  return new Worker(new URL("./rank_worker.ts", import.meta.url), { type: "module" });
}

/** Channels from each stage to the next, by tensor parallel rank, and what each stage's group shares. */
function connect(
  { ranks, maxConcurrentBatches, ranksInAll = ranks.flat().length }: PoolOptions,
  watchdog: WatchdogState,
): {
  readonly channels: readonly (readonly P2PChannelState[])[];
  readonly groups: readonly (CommunicatorState | undefined)[];
} {
  const channels = ranks.slice(1).map((receivers, stage) =>
    receivers.map(({ globalRank, stage: { model, maxNumBatchedTokens } }, tpRank) =>
      createP2PChannelState({
        sender: ranks[stage]![tpRank]!.globalRank,
        receiver: globalRank,
        slots: maxConcurrentBatches + 1,
        capacity: 2 * maxNumBatchedTokens * 4 * vec4s(model.hidden),
        watchdog,
      })
    )
  );
  const groups = ranks.map((tpRanks) => {
    if (tpRanks.length === 1) return undefined;
    const { stage } = tpRanks[0]!;
    return createCommunicatorState({
      globalRanks: tpRanks.map(({ globalRank }) => globalRank),
      capacity: TensorParallelGroup.capacity(stage, maxLogitsRows(stage)),
      watchdog,
      ranksInAll,
    });
  });
  return { channels, groups };
}

/** The operations that a rank is at, in words; nothing between steps. */
function doing(stage: Stage, progress: RankPosition): string {
  const [, first, last, tokens, logitsRows, opening] = progress as unknown as number[];
  if (opening! > 0) return ` (${OPENING[opening!]})`;
  if (first === 0) return "";
  const { ops } = stageProgram(stage, { tokens: tokens!, logitsRows: logitsRows! });
  const [from_, to] = [opName(ops[first! - 1]!), opName(ops[last! - 1]!)];
  return ` (in ${from_ === to ? from_ : `${from_} to ${to}`})`;
}

function opName(op: StageOp): string {
  const name = op.kind === "kernel" ? op.operation.kernel : op.op;
  return op.layer === undefined ? name : `${name} of layer ${op.layer}`;
}
