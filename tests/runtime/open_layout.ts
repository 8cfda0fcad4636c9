import type { TimedRequest } from "../../runtime/serve.ts";
import type { Stage } from "../../model/stage_program.ts";
import type { Layout } from "../../parallel/layout.ts";
import { type PoolOptions, RankPool } from "../../runtime/rank_pool.ts";
import { replicaRanks } from "../../model/replicas.ts";
import { tuneStage } from "../../runtime/tuned_variants.ts";
import type { PlantedFault } from "./fault_injection.ts";
import { lastVariant } from "./last_variant.ts";

/** Room of the layouts here. */
export const CACHE_CONFIG = {
  maxNumSeqs: 4,
  maxModelLen: 24,
  maxNumBatchedTokens: 10,
  maxStorageBufferBindingSize: 1 << 27,
} as const;

/** Limits that chunk prompts and mix them with decoding. */
export const LIMITS = { maxNumBatchedTokens: 10, maxNumSeqs: 4 } as const;

/** Requests of different lengths. */
export function mixedRequests(vocab: number, count = 6): readonly TimedRequest[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    promptTokenIds: Array.from({ length: 3 + 2 * id }, (_, i) => (id * 31 + i * 17 + 5) % vocab),
    maxTokens: 1 + id,
    arrivalMs: 0,
  }));
}

/** Starts a Worker with a fault for one rank, and without one for the others. */
export function startFaulty(localRank: number, fault: PlantedFault): (localRank: number) => Worker {
  const name = JSON.stringify(fault);
  const script = new URL("./fault_injection.ts", import.meta.url);
  return (rank) => new Worker(script, { type: "module", name: rank === localRank ? name : "" });
}

/** Open replicas. */
export interface OpenLayout extends AsyncDisposable {
  readonly pools: readonly RankPool[];
}

/** Opens the replicas of a layout: sizes of tensor, pipeline and data parallelism. */
export async function openLayout(
  model: Stage["model"],
  [tp = 1, pp = 1, dp = 1]: readonly number[],
  { dtype = "float32", maxConcurrentBatches = 5, layers, order = "vllm", ...options }: {
    readonly dtype?: Stage["dtype"];
    readonly maxConcurrentBatches?: number;
    readonly layers?: readonly number[];
    readonly order?: Layout["order"];
  } & Pick<PoolOptions, "timeoutMs" | "deadlinesMs" | "signal" | "startWorker"> = {},
): Promise<OpenLayout> {
  const layout: Layout = {
    tensorParallelSize: tp,
    pipelineParallelSize: pp,
    dataParallelSize: dp,
    order,
  };
  const replicas = replicaRanks(model, layout, { ...CACHE_CONFIG, dtype, layers });
  const variants = {};
  for (const [first] of replicas[0]!) {
    Object.assign(variants, await tuneStage(first!.stage, lastVariant));
  }
  await using stack = new AsyncDisposableStack();
  const pools = await Promise.all(
    replicas.map((ranks) =>
      RankPool.open({
        ranks,
        weights: { kind: "dummy", seed: 0 },
        variants,
        adapter: {},
        threads: 1,
        ranksInAll: tp * pp * dp,
        maxConcurrentBatches,
        ...options,
      })
    ),
  );
  for (const pool of pools) stack.use(pool);
  const open = stack.move();
  return { pools, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
