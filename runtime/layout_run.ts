import type { AdapterOptions } from "../device/adapter.ts";
import type { Device } from "../device/device.ts";
import { DeviceError } from "../device/device_error.ts";
import type { WeightsOrigin } from "../model/open_weights.ts";
import { replicaRanks } from "../model/replicas.ts";
import type { ModelShape } from "../model/shape.ts";
import { memoryProblem, stageMemory } from "../model/stage_memory.ts";
import type { CacheConfig } from "../model/stage_program.ts";
import { type Layout, worldSize } from "../parallel/layout.ts";
import type { OpenedRank, RankReport, StepWay } from "./rank_message.ts";
import { type PoolOptions, type PoolResult, RankPool } from "./rank_pool.ts";
import type { ReplicaTrace } from "./replica_trace.ts";
import type { SelectVariant } from "./segments.ts";
import { serve, type Served, type ServeOptions, type TimedRequest } from "./serve.ts";
import { type TunedVariants, tuneStage } from "./tuned_variants.ts";

/** What ranks compute, and on what. */
export interface DecoderSource {
  readonly model: ModelShape;
  readonly weights: WeightsOrigin;
  readonly adapter: AdapterOptions;
  /** Threads of each rank's software adapter; the cores shared out where absent. */
  readonly threads?: number | undefined;
}

/** What opening a layout needs besides the model. */
export interface LayoutOptions {
  readonly layout: Layout;
  /** Layers of each stage; split evenly where absent. */
  readonly layers?: readonly number[] | undefined;
  readonly cacheConfig: CacheConfig;
  /** Batches in flight in each replica. */
  readonly maxConcurrentBatches: number;
  readonly choose: SelectVariant;
  /** Memory that all ranks may take together; Infinity where the device does not tell. */
  readonly memoryBytes: number;
  /** How long a rank may be busy with one part of a step before it counts as failed, in ms. */
  readonly timeoutMs?: number | undefined;
  /** Ends opening and every wait for a rank or an arrival at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Starts a Worker that serves as a rank; rank_worker.ts where absent. */
  readonly startWorker?: PoolOptions["startWorker"];
}

/** What serving all requests once gave. */
export interface Repetition {
  readonly served: Served<PoolResult>;
  /** By replica. */
  readonly traces: readonly ReplicaTrace[];
  readonly reports: readonly RankReport[];
  /** The window of the traces, in ms since 1970. */
  readonly wall: { readonly start: number; readonly end: number };
}

type RanksTrace = Omit<ReplicaTrace, "inFlight">;

/** Bytes that all ranks of a layout take together. */
export function layoutBytes(
  model: ModelShape,
  { layout, layers, cacheConfig }: Pick<LayoutOptions, "layout" | "layers" | "cacheConfig">,
): number {
  return replicaRanks(model, layout, { ...cacheConfig, layers }).flat(2)
    .reduce((sum, { stage }) => sum + stageMemory(stage).totalBytes, 0);
}

/** Why the ranks of a layout do not fit together; undefined where they do. */
export function layoutMemoryProblem(
  model: ModelShape,
  { layout, layers, cacheConfig, memoryBytes }: Pick<
    LayoutOptions,
    "layout" | "layers" | "cacheConfig" | "memoryBytes"
  >,
): string | undefined {
  const ranks = replicaRanks(model, layout, { ...cacheConfig, layers }).flat(2);
  const [only] = ranks;
  if (only && ranks.length === 1) return memoryProblem(only.stage, memoryBytes);
  const alone = ranks.map(({ stage }) => memoryProblem(stage, Infinity)).find((why) => why);
  if (alone !== undefined) return alone;
  const bytes = layoutBytes(model, { layout, layers, cacheConfig });
  return bytes > memoryBytes
    ? `${ranks.length} ranks take ${bytes} bytes together; ${memoryBytes} are available`
    : undefined;
}

/** An open layout: its replicas, ready to serve. */
export class LayoutRun implements AsyncDisposable {
  readonly #layout: Layout;
  readonly #signal: AbortSignal | undefined;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    { layout, signal }: Pick<LayoutOptions, "layout" | "signal">,
    /** The replicas. */
    readonly pools: readonly RankPool[],
    stack: AsyncDisposableStack,
  ) {
    this.#layout = layout;
    this.#signal = signal;
    this.#stack = stack;
  }

  /**
   * Starts every rank of a layout; variants are chosen here, on the caller's device.
   * @throws {DeviceError} `OutOfMemory`, before anything is allocated, where they do not fit.
   */
  static async open(source: DecoderSource, options: LayoutOptions): Promise<LayoutRun> {
    const { model, weights, adapter } = source;
    const problem = layoutMemoryProblem(model, options);
    if (problem !== undefined) {
      throw new DeviceError("OutOfMemory", `Cannot hold the model on this adapter: ${problem}`);
    }
    const { layout, layers, cacheConfig, choose, signal } = options;
    const replicas = replicaRanks(model, layout, { ...cacheConfig, layers });
    const variants: TunedVariants[] = [];
    for (const tpRanks of replicas[0]!) variants.push(await tuneStage(tpRanks[0]!.stage, choose));
    await using stack = new AsyncDisposableStack();
    const ranksInAll = worldSize(layout);
    const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / ranksInAll));
    const pools: RankPool[] = [];
    for (const ranks of replicas) {
      const pool = await RankPool.open({
        ranks,
        weights,
        variants: Object.assign({}, ...variants),
        adapter,
        threads: source.threads ?? threads,
        ranksInAll,
        maxConcurrentBatches: options.maxConcurrentBatches,
        timeoutMs: options.timeoutMs,
        signal,
        startWorker: options.startWorker,
      });
      pools.push(stack.use(pool));
    }
    return new LayoutRun({ layout, signal }, pools, stack.move());
  }

  /** What each rank opened, by global rank. */
  get opened(): readonly OpenedRank[] {
    const ranks: OpenedRank[] = [];
    for (const pool of this.pools) {
      for (const [i, { globalRank }] of pool.ranks.entries()) ranks[globalRank] = pool.opened[i]!;
    }
    return ranks;
  }

  /** Serves all requests once with a batch queue of a depth. */
  async serve(
    requests: readonly TimedRequest[],
    { maxConcurrentBatches, way, ...options }: Omit<ServeOptions, "signal"> & {
      readonly maxConcurrentBatches: number;
      readonly way: StepWay;
    },
  ): Promise<Repetition> {
    const executors = this.pools.map((pool) => pool.executor(maxConcurrentBatches, way));
    const served = await serve(executors, requests, { ...options, signal: this.#signal });
    const origin = performance.timeOrigin;
    const reports = await this.#reports();
    const traces = this.#traces(reports).map((trace, replica) => ({
      ...trace,
      inFlight: served.batches[replica]!.map(({ result }) => ({
        start: origin + result.start,
        end: origin + result.end,
      })),
    }));
    const start = origin + served.startMs;
    return { served, traces, reports: reports.flat(), wall: { start, end: start + served.wallMs } };
  }

  /** What the ranks of each replica did since this was last asked, or requests were served. */
  async traces(): Promise<readonly RanksTrace[]> {
    return this.#traces(await this.#reports());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #reports(): Promise<readonly (readonly RankReport[])[]> {
    return await Promise.all(this.pools.map((pool) => pool.report()));
  }

  #traces(reports: readonly (readonly RankReport[])[]): readonly RanksTrace[] {
    const { tensorParallelSize, pipelineParallelSize: stages } = this.#layout;
    return this.pools.map((pool, replica) => ({
      stages,
      ranks: pool.ranks.map(({ globalRank }, i) => ({
        globalRank,
        stage: Math.floor(i / tensorParallelSize),
        tpRank: i % tensorParallelSize,
        steps: reports[replica]![i]!.steps,
      })),
    }));
  }
}

/** Memory that a device may take: the host's where it lives there, else unknown and so unlimited. */
export function deviceMemoryBytes({ identity: { type } }: Device): number {
  return type === "software" || type === "integrated"
    ? Deno.systemMemoryInfo().available
    : Infinity;
}
