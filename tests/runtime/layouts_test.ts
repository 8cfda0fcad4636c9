import { assert, assertEquals, assertRejects } from "@std/assert";
import { decompose } from "../../bench/suites/schedules/decomposition.ts";
import { mostInFlight } from "../../bench/suites/schedules/stage_times.ts";
import { serve } from "../../runtime/serve.ts";
import { RankError } from "../../collectives/rank_error.ts";
import { exitStatusOf } from "../../cli/exit_status.ts";
import type { ModelShape } from "../../model/shape.ts";
import { stageMemory } from "../../model/stage_memory.ts";
import type { Stage } from "../../model/stage_program.ts";
import { Rank } from "../../runtime/rank.ts";
import { RankExecutor } from "../../runtime/open_decoder.ts";
import type { LogitsGather } from "../../runtime/tensor_parallel_group.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";
import { lastVariant } from "./last_variant.ts";
import {
  CACHE_CONFIG,
  LIMITS,
  mixedRequests,
  type OpenLayout,
  openLayout,
  startFaulty,
} from "./open_layout.ts";
import { dummy, tinyModel, tinyStage } from "./tiny.ts";

const WAY = { head: "all_gather", slicedSends: false } as const;

/** Each request alone on one rank in this thread. */
async function alone(model: ModelShape, dtype: Stage["dtype"]) {
  const device = await sharedDevice();
  const stage = tinyStage(model, { ...CACHE_CONFIG, dtype });
  const weights = dummy(model);
  using rank = await Rank.open(device, {
    stage,
    weights,
    choose: lastVariant,
    memoryBytes: Infinity,
  });
  const tokens: (readonly number[])[] = [];
  for (const request of mixedRequests(model.vocab)) {
    const limits = { maxNumBatchedTokens: CACHE_CONFIG.maxNumBatchedTokens, maxNumSeqs: 1 };
    const { tokenIds } = await serve([new RankExecutor(rank)], [request], { limits });
    tokens.push(tokenIds[0]!);
  }
  return tokens;
}

async function serveAll(
  open: OpenLayout,
  model: ModelShape,
  how: { readonly depth: number; readonly head?: LogitsGather; readonly slicedSends?: boolean },
) {
  const executors = open.pools.map((pool) => pool.executor(how.depth, { ...WAY, ...how }));
  return await serve(executors, mixedRequests(model.vocab), { limits: LIMITS });
}

const MODELS = {
  "an odd vocabulary": tinyModel(),
  "an empty vocabulary shard and kv heads fewer than ranks": tinyModel({ vocab_size: 40 }),
  "5 layers": tinyModel({ num_hidden_layers: 5 }),
  "8 heads, 2 kv heads, tied embeddings": tinyModel({
    architectures: ["Qwen2ForCausalLM"],
    num_attention_heads: 8,
    num_key_value_heads: 2,
    tie_word_embeddings: true,
    vocab_size: 257,
  }),
} as const;

const CASES: readonly (readonly [
  keyof typeof MODELS,
  readonly Stage["dtype"][],
  readonly (readonly number[])[],
])[] = [
  ["an odd vocabulary", ["float32", "float16", "int8"], [[1, 1, 1], [2, 2, 1]]],
  ["an odd vocabulary", ["float32"], [[2, 1, 1], [1, 2, 1], [1, 1, 2], [2, 2, 2]]],
  ["an empty vocabulary shard and kv heads fewer than ranks", ["float32", "int8"], [[4, 2, 1]]],
  ["5 layers", ["float32"], [[1, 2, 1], [1, 3, 1], [1, 4, 2]]],
  ["8 heads, 2 kv heads, tied embeddings", ["float16"], [[8, 1, 1], [4, 1, 2]]],
];

for (const [name, dtypes, layouts] of CASES) {
  for (const dtype of dtypes) {
    Deno.test(`with ${name}, ${dtype}, layouts ${layouts.join(" and ")} give the tokens of one rank`, async () => {
      const model = MODELS[name];
      const expected = await alone(model, dtype);
      for (const sizes of layouts) {
        await using open = await openLayout(model, sizes, { dtype });
        for (const { globalRank, stage } of open.pools.flatMap((pool) => pool.ranks)) {
          const pool = open.pools.find(({ ranks }) =>
            ranks.some((r) => r.globalRank === globalRank)
          )!;
          const place = pool.ranks.findIndex((rank) => rank.globalRank === globalRank);
          const { weightBytes, kvCacheBytes } = stageMemory(stage);
          const opened = pool.opened[place]!;
          assertEquals([opened.weightBytes, opened.kvCacheBytes], [weightBytes, kvCacheBytes]);
        }
        for (const depth of [1, sizes[1]!, sizes[1]! + 1]) {
          const { tokenIds } = await serveAll(open, model, { depth });
          assertEquals(tokenIds, expected, `${sizes}, depth ${depth}`);
        }
      }
    });
  }
}

Deno.test("all ways to find the next token and to send hidden states give the same tokens", async () => {
  const model = MODELS["an odd vocabulary"];
  const expected = await alone(model, "float32");
  await using open = await openLayout(model, [2, 2, 1]);
  for (const head of ["all_gather", "gather", "argmax"] as const) {
    for (const slicedSends of [false, true]) {
      const { tokenIds } = await serveAll(open, model, { depth: 2, head, slicedSends });
      assertEquals(tokenIds, expected, `${head} ${slicedSends}`);
    }
  }
});

Deno.test("stages of explicit sizes and Megatron's numbering change nothing but the numbers", async () => {
  const model = MODELS["5 layers"];
  const expected = await alone(model, "float32");
  await using open = await openLayout(model, [1, 2, 2], { layers: [4, 1], order: "megatron" });
  const globalRanks = open.pools.map(({ ranks }) => ranks.map(({ globalRank }) => globalRank));
  assertEquals(globalRanks, [[0, 2], [1, 3]]);
  const layers = open.pools[0]!.ranks.map(({ stage }) => stage.endLayer - stage.firstLayer);
  assertEquals(layers, [4, 1]);
  assertEquals((await serveAll(open, model, { depth: 2 })).tokenIds, expected);
});

Deno.test("a step makes 1 + 2L all-reduces, one all-gather and a send a tensor parallel rank; sliced sends move 1/tp", async () => {
  const model = MODELS["5 layers"];
  await using open = await openLayout(model, [2, 2, 1]);
  const [pool] = open.pools;
  const sent: number[] = [];
  for (const slicedSends of [false, true]) {
    const { batches } = await serveAll(open, model, { depth: 2, slicedSends });
    const steps = batches[0]!.length;
    const sampled = batches[0]!.filter(({ result }) => result.tokenIds.length > 0).length;
    const reports = await pool!.report();
    // 3 layers, then 2 with the head.
    const layers = pool!.ranks.map(({ stage }) => stage.endLayer - stage.firstLayer);
    assertEquals(layers, [3, 3, 2, 2]);
    assertEquals(reports.map((r) => r.allReduces), [7, 7, 4, 4].map((n) => n * steps));
    assertEquals(reports.map((r) => r.allGathers), [0, 0, sampled, sampled]);
    assertEquals(reports.map((r) => r.sends), [steps, steps, 0, 0]);
    const tokens = reports[0]!.steps.reduce((sum, step) => sum + step.tokens, 0);
    const H = model.hidden;
    const slice = slicedSends ? 1 / 2 : 1;
    // An all-reduce of n = 2 moves the whole message out of each rank, whichever way.
    assertEquals(reports[0]!.sentBytes, tokens * H * 4 * 7 + slice * 2 * tokens * H * 4);
    sent.push(reports.reduce((sum, r) => sum + r.sentBytes, 0));
  }
});

Deno.test("batches end in order, as many are in flight as the depth, and spans explain the wall time", async () => {
  const model = MODELS["an odd vocabulary"];
  await using open = await openLayout(model, [1, 2, 1]);
  const [pool] = open.pools;
  for (const depth of [1, 2, 3]) {
    const served = await serveAll(open, model, { depth });
    const results = served.batches[0]!.map(({ result }) => result);
    assertEquals(mostInFlight({ inFlight: results }), depth);
    results.slice(1).forEach((result, i) => {
      assertEquals(result.step, results[i]!.step! + 1);
      assert(result.end >= results[i]!.end);
    });
    const ranks = (await pool!.report()).map(({ steps }, i) => ({
      globalRank: i,
      stage: i,
      tpRank: 0,
      steps,
    }));
    const origin = performance.timeOrigin;
    const inFlight = results.map(({ start, end }) => ({
      start: start + origin,
      end: end + origin,
    }));
    for (const { steps } of ranks) {
      // Clocks of different threads agree: a step lies within its flight.
      steps.forEach(({ spans }, i) => {
        assert(spans[0]!.start >= inFlight[i]!.start - 0.1, `batch ${i} began before it was sent`);
        assert(spans.at(-1)!.end <= inFlight.at(-1)!.end + 1);
      });
    }
    const start = origin + served.startMs;
    const wall = { start, end: start + served.wallMs };
    const trace = { stages: 2, inFlight, ranks };
    const { idle: _, ranksTimesWall, ...shares } = decompose(trace, wall);
    const total = Object.values(shares).reduce((sum, ms) => sum + ms, 0);
    assert(Math.abs(ranksTimesWall - 2 * served.wallMs) < 0.01);
    const said = `${total} of ${ranksTimesWall} ms`;
    // What no span covers is a rank's bookkeeping within its steps; nothing is counted twice.
    assert(total > 0.9 * ranksTimesWall && total < 1.01 * ranksTimesWall, said);
    assert(shares.busy > 0 && shares.transfer > 0 && Object.values(shares).every((ms) => ms >= 0));
  }
});

/** Batches of the requests here. */
const STEPS = 13;
const AT = String.raw`\(in .* of layer \d+\)$`;
const FAULTS = [
  // Nobody waits for it but the pool.
  ["hang", "in a step", String.raw`did nothing within 3000 ms \(in .* to argmax\)$`, 1, [1, 2, 1]],
  ["exit", "between steps", String.raw`exited \(at step\)$`, 1, [1, 1, 1]],
  ["throw", "in a step", `threw: planted failure ${AT}`, 1],
  ["throw", "between steps", "threw: Uncaught Error: planted failure$", 1],
  ["lose", "in a step", `lost its device: .*lost.* ${AT}`, 6],
  ["exit", "in a step", `exited ${AT}`, 1],
  ["exit", "between steps", "exited$", 1],
  ["close", "in a step", `closed itself ${AT}`, 1],
  ["hang", "in a step", `did not come within 3000 ms ${AT}`, 1],
] as const;

for (const [how, when, did, status, sizes = [2, 2, 1]] of FAULTS) {
  Deno.test(`a rank that does ${how} ${when} ends layout ${sizes} with an error that names it and what it was at`, async () => {
    const model = MODELS["an odd vocabulary"];
    const last = sizes[0] * sizes[1] - 1;
    await using open = await openLayout(model, sizes, {
      timeoutMs: how === "hang" ? 3000 : 60_000,
      startWorker: startFaulty(last, { how, when, after: STEPS }),
    });
    // Everything is compiled before the fault: no rank is late for another reason.
    const { batches } = await serveAll(open, model, { depth: 2 });
    assertEquals(batches[0]!.length, STEPS);
    await open.pools[0]!.report(); // every rank is done with its last step
    const error = await assertRejects(() => serveAll(open, model, { depth: 2 }), RankError);
    assertEquals([error.fault.globalRank, exitStatusOf(error)], [last, status]);
    assert(
      new RegExp(`^Cannot go on: rank ${last} ${did}`).test(error.message),
      error.message,
    );
    await assertRejects(() => serveAll(open, model, { depth: 1 }), RankError, error.message);
  });
}

Deno.test.afterAll(closeSharedDevice);
