/** One replica of a decoder: tensor parallel ranks of pipeline stages, each in a Worker with a device. */

import {
  abortP2PChannel,
  createP2PChannel,
  type P2PChannel,
} from "../collectives/transports/p2p_channel.ts";
import { createCommunicatorState } from "../collectives/transports/communicator_state.ts";
import { abort, type CommunicatorState } from "../collectives/transports/communicator.ts";
import type { AdapterOptions } from "../device/adapter.ts";
import { vec4s } from "../kernels/kernel.ts";
import type { PoolRank } from "../model/replicas.ts";
import type { WeightsOrigin } from "../model/open_weights.ts";
import { maxLogitsRows } from "../model/stage_memory.ts";
import { type BatchSize, type Stage, type StageOp, stageProgram } from "../model/stage_program.ts";
import type { BatchResult, Executor } from "../schedules/engine_core.ts";
import type {
  Misbehaviour,
  OpenedRank,
  RankMessage,
  RankReport,
  RankSetup,
  StepWay,
} from "./rank_message.ts";
import { TensorParallelGroup } from "./tensor_parallel_group.ts";
import { tokenBatch } from "./token_batch.ts";
import type { TunedVariants } from "./tuned_variants.ts";
import { WorkerRanks } from "./worker_ranks.ts";

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
}

/** What a batch gave. */
export interface PoolResult extends BatchResult {
  /** Place of the batch in all that were submitted; undefined for an empty one, which nobody ran. */
  readonly step: number | undefined;
  /** From submitting to the token ids, in ms of this thread's clock. */
  readonly start: number;
  readonly end: number;
}

/** Steps begun, then 1 + first and last operation (0 between steps), then the batch's tokens and samples. */
type RankPosition = Int32Array<SharedArrayBuffer>;

const TIMEOUT_MS = 120_000;

/** Ranks in Workers that run batches, several in flight: an engine's executor. */
export class RankPool implements AsyncDisposable {
  /** Every rank, stage by stage. */
  readonly ranks: readonly PoolRank[];
  readonly #workers: WorkerRanks<RankMessage>;
  readonly #tensorParallelSize: number;
  readonly #maxConcurrentBatches: number;
  readonly #watchMs: number;
  readonly #progress: readonly RankPosition[];
  #opened: readonly OpenedRank[] = [];
  #steps = 0;

  private constructor(
    { ranks, maxConcurrentBatches, timeoutMs = TIMEOUT_MS }: PoolOptions,
    workers: WorkerRanks<RankMessage>,
    progress: readonly RankPosition[],
  ) {
    this.ranks = ranks.flat();
    this.#workers = workers;
    this.#tensorParallelSize = ranks[0]!.length;
    this.#maxConcurrentBatches = maxConcurrentBatches;
    // Whoever waits for one that waits gives up later than that one: so the right rank is named.
    this.#watchMs = timeoutMs * (ranks.length + 2);
    this.#progress = progress;
  }

  /**
   * Starts the ranks: each opens a device and loads its weights. Needs read permission for this
   * program's own files, and to set LP_NUM_THREADS where threads are given.
   */
  static async open(options: PoolOptions): Promise<RankPool> {
    const { weights, variants, adapter, threads } = options;
    const ranks = options.ranks.flat();
    const tensorParallelSize = options.ranks[0]!.length;
    const progress: readonly RankPosition[] = ranks.map(() =>
      new Int32Array(new SharedArrayBuffer(32))
    );
    const { boxes, groups } = connect(options);
    const script = new URL("./rank_worker.ts", import.meta.url);
    const workers = new WorkerRanks<RankMessage>(
      ranks.map(() => new Worker(script, { type: "module" })),
      {
        leave: { kind: "leave" },
        numbers: ranks.map(({ globalRank }) => globalRank),
        onFailure: (rank) => {
          for (const group of groups) if (group) abort(group, rank % tensorParallelSize);
          for (const box of boxes.flat()) abortP2PChannel(box, ranks[rank]!.globalRank);
        },
        doing: (rank) => doing(ranks[rank]!.stage, progress[rank]!),
      },
    );
    const pool = new RankPool(options, workers, progress);
    const before = Deno.env.get("LP_NUM_THREADS");
    // A software adapter reads it when it is opened.
    if (threads !== undefined) Deno.env.set("LP_NUM_THREADS", String(threads));
    try {
      pool.#opened = await workers.askAll((rank) => {
        const [stage, tpRank] = [Math.floor(rank / tensorParallelSize), rank % tensorParallelSize];
        const setup: RankSetup = {
          ...ranks[rank]!,
          weights,
          variants,
          adapter,
          group: groups[stage],
          inbox: boxes[stage - 1]?.[tpRank],
          outbox: boxes[stage]?.[tpRank],
          position: progress[rank]!,
        };
        return { kind: "join", setup };
      }) as OpenedRank[];
    } catch (error) {
      await pool[Symbol.asyncDispose]();
      throw error;
    } finally {
      if (before !== undefined) Deno.env.set("LP_NUM_THREADS", before);
      else if (threads !== undefined) Deno.env.delete("LP_NUM_THREADS");
    }
    return pool;
  }

  /** What each rank opened and allocated. */
  get opened(): readonly OpenedRank[] {
    return this.#opened;
  }

  /** Makes every rank ready for batches of these sizes. */
  async prepare(sizes: readonly BatchSize[]): Promise<void> {
    await this.#workers.askAll(() => ({ kind: "prepare", sizes }));
  }

  /** An executor over these ranks that keeps up to `depth` batches in flight. */
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
        for (const rank of this.ranks.keys()) {
          if (rank !== output) this.#workers.tell(rank, message);
        }
        const watch = this.#watch();
        try {
          const tokenIds = await answer as readonly number[];
          return { tokenIds, step, start, end: performance.now() };
        } finally {
          clearInterval(watch);
        }
      },
    };
  }

  /** The logits of the last batch's sampled tokens, a row of V each. */
  async logits(rows: number): Promise<readonly Float32Array[]> {
    const first = this.ranks.length - this.#tensorParallelSize;
    const shards = await Promise.all(
      Array.from(
        { length: this.#tensorParallelSize },
        (_, tpRank) => this.#workers.ask(first + tpRank, { kind: "logits", rows }),
      ),
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

  /** Makes a rank misbehave in the middle of the next step: for tests. */
  async plant(rank: number, how: Misbehaviour): Promise<void> {
    await this.#workers.ask(rank, { kind: "misbehave", how });
  }

  /** Lets every rank free what it holds and close itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workers[Symbol.asyncDispose]();
  }

  /** Declares the slowest rank failed where nothing has moved for a long time. */
  #watch(): ReturnType<typeof setInterval> {
    const state = () => this.#progress.flatMap((words) => [...words]).join();
    let seen = state();
    return setInterval(() => {
      if (state() !== seen) return seen = state();
      const steps = this.#progress.map((words) => Atomics.load(words, 0));
      this.#workers.fail(steps.indexOf(Math.min(...steps)), `did nothing for ${this.#watchMs} ms`);
    }, this.#watchMs);
  }
}

/** Channels from each stage to the next, by tensor parallel rank, and the memory of each stage's group. */
function connect(
  { ranks, maxConcurrentBatches, ranksInAll, timeoutMs = TIMEOUT_MS }: PoolOptions,
): {
  readonly boxes: readonly (readonly P2PChannel[])[];
  readonly groups: readonly (CommunicatorState | undefined)[];
} {
  const boxes = ranks.slice(1).map((receivers, stage) =>
    receivers.map(({ globalRank, stage: { model, maxNumBatchedTokens } }, tpRank) =>
      createP2PChannel({
        sender: ranks[stage]![tpRank]!.globalRank,
        receiver: globalRank,
        slots: maxConcurrentBatches + 1,
        capacity: 2 * maxNumBatchedTokens * 4 * vec4s(model.hidden),
        timeoutMs: timeoutMs * (stage + 2),
      })
    )
  );
  const groups = ranks.map((tpRanks) => {
    if (tpRanks.length === 1) return undefined;
    const { stage } = tpRanks[0]!;
    return createCommunicatorState({
      ranks: tpRanks.length,
      capacity: TensorParallelGroup.capacity(stage, maxLogitsRows(stage)),
      timeoutMs,
      ranksInAll: ranksInAll ?? ranks.flat().length,
      numbers: tpRanks.map(({ globalRank }) => globalRank),
    });
  });
  return { boxes, groups };
}

/** The operations that a rank is at, in words; nothing between steps. */
function doing(stage: Stage, progress: RankPosition): string {
  const [, first, last, tokens, samples] = progress as unknown as number[];
  if (first === 0) return "";
  const { ops } = stageProgram(stage, { tokens: tokens!, logitsRows: samples! });
  const [from_, to] = [opName(ops[first! - 1]!), opName(ops[last! - 1]!)];
  return ` (in ${from_ === to ? from_ : `${from_} to ${to}`})`;
}

function opName(op: StageOp): string {
  const name = op.kind === "kernel" ? op.operation.kernel : op.op;
  return op.layer === undefined ? name : `${name} of layer ${op.layer}`;
}
