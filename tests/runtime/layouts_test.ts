import { assert, assertEquals } from "@std/assert";
import { serve, type TimedRequest } from "../../bench/serve.ts";
import type { Stage } from "../../model/stage_program.ts";
import type { Layout } from "../../parallel/layout.ts";
import { RankPool } from "../../runtime/rank_pool.ts";
import { replicaRanks } from "../../runtime/replicas.ts";
import type { HeadExchange } from "../../runtime/tensor_parallel_peers.ts";
import { chooseVariants } from "../../runtime/variant_choices.ts";
import { lastVariant } from "./last_variant.ts";
import { tinyModel } from "./tiny.ts";

const ROOM = { slots: 4, context: 24, maxTokens: 10, bindingBytes: 1 << 27 } as const;
const LIMITS = { maxNumBatchedTokens: 10, maxNumSeqs: 4 };

function requests(vocab: number): readonly TimedRequest[] {
  return Array.from({ length: 6 }, (_, id) => ({
    id,
    promptTokenIds: Array.from({ length: 3 + 2 * id }, (_, i) => (id * 31 + i * 17 + 5) % vocab),
    maxTokens: 1 + id,
    arrivalMs: 0,
  }));
}

/** Opens the replicas of a layout; [tp, pp, dp]. */
async function openLayout(
  model: Stage["model"],
  [tp, pp, dp]: readonly number[],
  rest: { readonly dtype?: Stage["dtype"]; readonly depth?: number; readonly timeoutMs?: number } =
    {},
) {
  const { dtype = "float32", depth = 4, timeoutMs } = rest;
  const layout: Layout = {
    tensorParallelSize: tp!,
    pipelineParallelSize: pp!,
    dataParallelSize: dp!,
    order: "vllm",
  };
  const replicas = replicaRanks(model, layout, { ...ROOM, dtype });
  const variants = Object.assign(
    {},
    ...await Promise.all(
      replicas[0]!.map(([first]) => chooseVariants(first!.stage, lastVariant)),
    ),
  );
  const stack = new AsyncDisposableStack();
  const pools: RankPool[] = [];
  for (const ranks of replicas) {
    pools.push(
      stack.use(
        await RankPool.open({
          ranks,
          weights: { kind: "dummy", seed: 0 },
          variants,
          adapter: {},
          threads: 1,
          depth,
          timeoutMs,
        }),
      ),
    );
  }
  return Object.assign(stack, { pools });
}

Deno.test("probe: layouts", async () => {
  const model = tinyModel();
  let expected;
  for (const sizes of [[1, 1, 1], [2, 1, 1], [1, 2, 1], [2, 2, 1], [2, 2, 2]]) {
    const t0 = performance.now();
    await using opened = await openLayout(model, sizes);
    const t1 = performance.now();
    for (const depth of [1, 2, 3]) {
      for (const head of ["all_gather", "gather", "argmax"] as const) {
        const way = { head: head as HeadExchange, slicedSends: depth === 2 };
        const served = await serve(
          opened.pools.map((pool) => pool.executor(depth, way)),
          requests(model.vocab),
          { limits: LIMITS },
        );
        expected ??= served.tokenIds;
        assertEquals(served.tokenIds, expected, `${sizes} ${depth} ${head}`);
      }
    }
    console.log(sizes, "open", t1 - t0, "serve", performance.now() - t1);
    const reports = await opened.pools[0]!.report();
    console.log(reports.map((r) => ({ ...r, steps: r.steps.length })));
  }
  assert(expected);
});
