import { DeviceError } from "../device/device_error.ts";
import { memoryProblem, stageMemory } from "../model/stage_memory.ts";
import { type Layout, worldSize } from "../parallel/layout.ts";
import { type PoolResult, RankPool } from "./rank_pool.ts";
import type { OpenedRank, RankReport, StepWay } from "./rank_message.ts";
import { replicaRanks, type StageRoom } from "../model/replicas.ts";
import type { ChooseVariant } from "./segments.ts";
import { chooseVariants, type VariantChoices } from "./variant_choices.ts";
import type { Config } from "../config/config.ts";
import type { LayoutSizes } from "../config/config_schema.ts";
import type { ReplicaTrace } from "../bench/suites/schedules/decomposition.ts";
import { weightsOrigin } from "../config/weights_origin.ts";
import { serve, type Served, type ServeOptions, type TimedRequest } from "./serve.ts";

/** A layout as the arithmetic of ranks names it. */
export function layoutOf(sizes: LayoutSizes): Layout {
  return {
    tensorParallelSize: sizes.tensor_parallel_size,
    pipelineParallelSize: sizes.pipeline_parallel_size,
    dataParallelSize: sizes.data_parallel_size,
    order: sizes.order,
  };
}

/** What running a layout needs besides its configuration. */
export interface LayoutOptions {
  readonly sizes: LayoutSizes;
  readonly room: StageRoom;
  /** Batches in flight in each replica. */
  readonly depth: number;
  readonly choose: ChooseVariant;
  /** Memory that all ranks may take together; Infinity where the device does not tell. */
  readonly memoryBytes: number;
  /** How long a rank may be busy with one part of a step before it counts as failed, in ms. */
  readonly timeoutMs?: number | undefined;
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

/** Why the ranks of a layout do not fit together; undefined where they do. */
export function layoutMemoryProblem(
  { model }: Pick<Config, "model">,
  { sizes, room, memoryBytes }: Pick<LayoutOptions, "sizes" | "room" | "memoryBytes">,
): string | undefined {
  const ranks = replicaRanks(model, layoutOf(sizes), { ...room, layers: sizes.stage_layers })
    .flat(2);
  const [only] = ranks;
  if (only && ranks.length === 1) return memoryProblem(only.stage, memoryBytes);
  const alone = ranks.map(({ stage }) => memoryProblem(stage, Infinity)).find((why) => why);
  if (alone !== undefined) return alone;
  const bytes = ranks.reduce((sum, { stage }) => sum + stageMemory(stage).totalBytes, 0);
  return bytes > memoryBytes
    ? `${ranks.length} ranks take ${bytes} bytes together; ${memoryBytes} are available`
    : undefined;
}

/** Threads that each rank of a layout gets: the configured ones, or the cores shared out. */
export function threadsPerRank(
  { schedules }: Pick<Config, "schedules">,
  ranks: number,
): number {
  const cores = navigator.hardwareConcurrency;
  return schedules?.threads_per_rank ?? Math.max(1, Math.floor(cores / ranks));
}

/** An open layout: its replicas, ready to serve. */
export class LayoutRun implements AsyncDisposable {
  readonly layout: Layout;
  readonly #pools: readonly RankPool[];
  readonly #stack: AsyncDisposableStack;

  private constructor(layout: Layout, pools: readonly RankPool[], stack: AsyncDisposableStack) {
    this.layout = layout;
    this.#pools = pools;
    this.#stack = stack;
  }

  /**
   * Starts every rank of a layout; variants are chosen here, on the caller's device.
   * @throws {DeviceError} `OutOfMemory`, before anything is allocated, where they do not fit.
   */
  static async open(config: Config, options: LayoutOptions): Promise<LayoutRun> {
    const problem = layoutMemoryProblem(config, options);
    if (problem !== undefined) {
      throw new DeviceError("OutOfMemory", `Cannot hold the model on this adapter: ${problem}`);
    }
    const { sizes, room, depth, choose, timeoutMs } = options;
    const layout = layoutOf(sizes);
    const replicas = replicaRanks(config.model, layout, { ...room, layers: sizes.stage_layers });
    const variants: VariantChoices[] = [];
    for (const lanes of replicas[0]!) variants.push(await chooseVariants(lanes[0]!.stage, choose));
    await using stack = new AsyncDisposableStack();
    const ranksInAll = worldSize(layout);
    const pools: RankPool[] = [];
    for (const ranks of replicas) {
      const pool = await RankPool.open({
        ranks,
        weights: weightsOrigin(config),
        variants: Object.assign({}, ...variants),
        adapter: {
          powerPreference: config.adapter.power_preference,
          allowSoftware: config.adapter.allow_software,
        },
        threads: threadsPerRank(config, ranksInAll),
        ranksInAll,
        depth,
        timeoutMs,
      });
      pools.push(stack.use(pool));
    }
    return new LayoutRun(layout, pools, stack.move());
  }

  /** The replicas. */
  get pools(): readonly RankPool[] {
    return this.#pools;
  }

  /** What each rank opened, by its number. */
  get opened(): readonly OpenedRank[] {
    const ranks: OpenedRank[] = [];
    for (const pool of this.#pools) {
      for (const [i, { number }] of pool.ranks.entries()) ranks[number] = pool.opened[i]!;
    }
    return ranks;
  }

  /** Serves all requests once with a batch queue of a depth. */
  async serve(
    requests: readonly TimedRequest[],
    { depth, way, ...options }: ServeOptions & { readonly depth: number; readonly way: StepWay },
  ): Promise<Repetition> {
    const executors = this.#pools.map((pool) => pool.executor(depth, way));
    const served = await serve(executors, requests, options);
    const start = performance.timeOrigin + served.startMs;
    const reports = await this.#reports();
    const traces = this.#traces(reports).map((trace, replica) => ({
      ...trace,
      flights: served.batches[replica]!.map(({ result }) => ({
        start: performance.timeOrigin + result.start,
        end: performance.timeOrigin + result.end,
      })),
    }));
    return { served, traces, reports: reports.flat(), wall: { start, end: start + served.wallMs } };
  }

  /** What the ranks of each replica did since this was last asked, or requests were served. */
  async traces(): Promise<readonly Omit<ReplicaTrace, "flights">[]> {
    return this.#traces(await this.#reports());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #reports(): Promise<readonly (readonly RankReport[])[]> {
    return await Promise.all(this.#pools.map((pool) => pool.report()));
  }

  #traces(
    reports: readonly (readonly RankReport[])[],
  ): readonly Omit<ReplicaTrace, "flights">[] {
    const { tensorParallelSize: lanes, pipelineParallelSize: stages } = this.layout;
    return this.#pools.map((pool, replica) => ({
      stages,
      ranks: pool.ranks.map(({ number }, i) => ({
        number,
        stage: Math.floor(i / lanes),
        lane: i % lanes,
        steps: reports[replica]![i]!.steps,
      })),
    }));
  }
}
