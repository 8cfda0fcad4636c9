/** One replica of a decoder: tensor parallel ranks of pipeline stages, each in a Worker with a device. */

import { failMailbox, type Mailbox, makeMailbox } from "../collectives/transports/mailbox.ts";
import { openSharedRanks } from "../collectives/transports/open_shared_ranks.ts";
import { blame, type SharedRanks } from "../collectives/transports/shared_memory.ts";
import type { AdapterOptions } from "../device/adapter.ts";
import { vec4s } from "../kernels/kernel.ts";
import type { PoolRank } from "../model/replicas.ts";
import type { WeightsOrigin } from "../model/open_weights.ts";
import { maxSamples } from "../model/stage_memory.ts";
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
import { TensorParallelPeers } from "./tensor_parallel_peers.ts";
import { tokenBatch } from "./token_batch.ts";
import type { VariantChoices } from "./variant_choices.ts";
import { WorkerRanks } from "./worker_ranks.ts";

/** What a replica is made of. */
export interface PoolOptions {
  /** By stage, then by tensor parallel rank. */
  readonly ranks: readonly (readonly PoolRank[])[];
  readonly weights: WeightsOrigin;
  readonly variants: VariantChoices;
  readonly adapter: AdapterOptions;
  /** Threads of each software adapter; all cores where absent. */
  readonly threads?: number | undefined;
  /** Ranks of all replicas together; those of this one where absent. */
  readonly ranksInAll?: number | undefined;
  /** Batches that may be in flight. */
  readonly depth: number;
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
type Progress = Int32Array<SharedArrayBuffer>;

const TIMEOUT_MS = 120_000;

/** Ranks in Workers that run batches, several in flight: an engine's executor. */
export class RankPool implements AsyncDisposable {
  /** Every rank, stage by stage. */
  readonly ranks: readonly PoolRank[];
  readonly #workers: WorkerRanks<RankMessage>;
  readonly #lanes: number;
  readonly #depth: number;
  readonly #watchMs: number;
  readonly #progress: readonly Progress[];
  #opened: readonly OpenedRank[] = [];
  #steps = 0;

  private constructor(
    { ranks, depth, timeoutMs = TIMEOUT_MS }: PoolOptions,
    workers: WorkerRanks<RankMessage>,
    progress: readonly Progress[],
  ) {
    this.ranks = ranks.flat();
    this.#workers = workers;
    this.#lanes = ranks[0]!.length;
    this.#depth = depth;
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
    const lanes = options.ranks[0]!.length;
    const progress: readonly Progress[] = ranks.map(() =>
      new Int32Array(new SharedArrayBuffer(32))
    );
    const { boxes, groups } = connect(options);
    const script = new URL("./rank_worker.ts", import.meta.url);
    const workers = new WorkerRanks<RankMessage>(
      ranks.map(() => new Worker(script, { type: "module" })),
      {
        leave: { kind: "leave" },
        numbers: ranks.map(({ number }) => number),
        onFailure: (rank) => {
          for (const group of groups) if (group) blame(group, rank % lanes);
          for (const box of boxes.flat()) failMailbox(box, ranks[rank]!.number);
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
        const [stage, lane] = [Math.floor(rank / lanes), rank % lanes];
        const setup: RankSetup = {
          ...ranks[rank]!,
          weights,
          variants,
          adapter,
          group: groups[stage],
          inbox: boxes[stage - 1]?.[lane],
          outbox: boxes[stage]?.[lane],
          progress: progress[rank]!,
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
  executor(depth: number, way: StepWay): Executor<PoolResult> {
    if (depth > this.#depth) {
      throw new RangeError(`Cannot keep ${depth} batches in flight: the ranks take ${this.#depth}`);
    }
    return {
      depth,
      submit: async (scheduled) => {
        const start = performance.now();
        if (scheduled.parts.length === 0) {
          return { tokenIds: [], step: undefined, start, end: start };
        }
        const step = this.#steps++;
        const message: RankMessage = { kind: "step", step, batch: tokenBatch(scheduled), way };
        const output = this.ranks.length - this.#lanes;
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
  async logits(samples: number): Promise<readonly Float32Array[]> {
    const first = this.ranks.length - this.#lanes;
    const shards = await Promise.all(
      Array.from(
        { length: this.#lanes },
        (_, lane) => this.#workers.ask(first + lane, { kind: "logits", samples }),
      ),
    ) as (readonly Float32Array[])[];
    const { vocab } = this.ranks[0]!.stage.model;
    return Array.from(
      { length: samples },
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

/** Mailboxes from each stage to the next, by lane, and the memory of each stage's group. */
function connect({ ranks, depth, ranksInAll, timeoutMs = TIMEOUT_MS }: PoolOptions): {
  readonly boxes: readonly (readonly Mailbox[])[];
  readonly groups: readonly (SharedRanks | undefined)[];
} {
  const boxes = ranks.slice(1).map((receivers, stage) =>
    receivers.map(({ number, stage: { model, maxTokens } }, lane) =>
      makeMailbox({
        sender: ranks[stage]![lane]!.number,
        receiver: number,
        slots: depth + 1,
        capacity: 2 * maxTokens * 4 * vec4s(model.hidden),
        timeoutMs: timeoutMs * (stage + 2),
      })
    )
  );
  const groups = ranks.map((lanes) => {
    if (lanes.length === 1) return undefined;
    const { stage } = lanes[0]!;
    return openSharedRanks({
      ranks: lanes.length,
      capacity: TensorParallelPeers.capacity(stage, maxSamples(stage)),
      timeoutMs,
      ranksInAll: ranksInAll ?? ranks.flat().length,
      numbers: lanes.map(({ number }) => number),
    });
  });
  return { boxes, groups };
}

/** The operations that a rank is at, in words; nothing between steps. */
function doing(stage: Stage, progress: Progress): string {
  const [, first, last, tokens, samples] = progress as unknown as number[];
  if (first === 0) return "";
  const { ops } = stageProgram(stage, { tokens: tokens!, samples: samples! });
  const [from_, to] = [opName(ops[first! - 1]!), opName(ops[last! - 1]!)];
  return ` (in ${from_ === to ? from_ : `${from_} to ${to}`})`;
}

function opName(op: StageOp): string {
  const name = op.kind === "kernel" ? op.operation.kernel : op.op;
  return op.layer === undefined ? name : `${name} of layer ${op.layer}`;
}
