import { assert, assertEquals, assertRejects } from "@std/assert";
import { DTYPES } from "../../kernels/kernel.ts";
import { DeviceError } from "../../device/device_error.ts";
import { memoryProblem, stageMemory } from "../../model/stage_memory.ts";
import { stageBuffers } from "../../model/stage_memory.ts";
import { stageWeights } from "../../model/stage_weights.ts";
import { Rank } from "../../runtime/rank.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";
import { lastVariant } from "./last_variant.ts";
import { dummy, tinyModel, tinyStage } from "./tiny.ts";

const SHAPES = [
  {},
  { vocab_size: 1001, num_key_value_heads: 1, intermediate_size: 130 },
  { architectures: ["Qwen2ForCausalLM"], tie_word_embeddings: true },
  { architectures: ["PlainFFNForCausalLM"], hidden_act: "relu" },
];

/** A binding limit at which weights are cut into column blocks. */
const BLOCKS = 32_768;

Deno.test("predicted weight and KV bytes are the ledger's, to the byte", async () => {
  const device = await sharedDevice();
  for (const changes of SHAPES) {
    for (const dtype of DTYPES) {
      const model = tinyModel(changes);
      const stage = tinyStage(model, { dtype, maxStorageBufferBindingSize: BLOCKS });
      const predicted = stageMemory(stage);
      const before = device.ledger.totalBytes;
      using rank = await Rank.open(device, {
        stage,
        weights: dummy(model),
        choose: lastVariant,
        memoryBytes: Infinity,
      });
      const bytes = (prefix: string) =>
        Object.entries(device.ledger.bytesByLabel())
          .reduce((sum, [label, own]) => label.startsWith(prefix) ? sum + own : sum, 0);
      const { weightBytes, kvCacheBytes } = predicted;
      assertEquals([bytes("weights."), bytes("kv_cache.")], [weightBytes, kvCacheBytes]);
      assertEquals([rank.bytesOf("weights"), rank.bytesOf("kv_cache")], [
        weightBytes,
        kvCacheBytes,
      ]);
      const own = bytes("rank.");
      assertEquals(device.ledger.totalBytes - before, predicted.totalBytes + own);
      rank[Symbol.dispose]();
      assertEquals(device.ledger.totalBytes, before);
    }
  }
});

Deno.test("a stage's memory is what the formulas of tensor parallelism say", () => {
  const model = tinyModel({ vocab_size: 128, num_hidden_layers: 4 });
  const [H, D, N, K, F, V, L] = [64, 16, 4, 2, 96, 128, 4];
  for (const tp of [1, 2, 4]) {
    const kv = Math.max(1, K / tp);
    const layer = H * D * (N / tp) * 2 + 2 * H * D * kv + 3 * H * F / tp + 2 * H;
    const stage = tinyStage(model, { tensorParallelSize: tp, tensorParallelRank: tp - 1 });
    const { weightBytes, kvCacheBytes } = stageMemory(stage);
    assertEquals(weightBytes, 4 * (L * layer + 2 * V / tp * H + H), `tp ${tp}`);
    assertEquals(
      kvCacheBytes,
      stage.maxNumSeqs * stage.maxModelLen * 2 * 4 * L * kv * D,
      `tp ${tp}`,
    );
    const first = { ...stage, endLayer: 1 };
    assertEquals(stageMemory(first).weightBytes, 4 * (layer + V / tp * H));
    const last = { ...stage, firstLayer: 3 };
    assertEquals(stageMemory(last).weightBytes, 4 * (layer + V / tp * H + H));
  }
});

Deno.test("every weight of a program has its source, and nothing else has", () => {
  for (const changes of SHAPES) {
    for (const dtype of ["float32", "int8"] as const) {
      const stage = tinyStage(tinyModel(changes), { dtype, maxStorageBufferBindingSize: BLOCKS });
      const named = stageWeights(stage).flatMap(({ name, scale }) =>
        scale ? [name, `${name}.scale`] : [name]
      );
      const used = [...stageBuffers(stage)].filter(([, { role }]) => role === "weights");
      assertEquals(named.sort(), used.map(([name]) => name).sort());
    }
  }
});

Deno.test("what does not fit is refused before anything is allocated, with what would fit", async () => {
  const device = await sharedDevice();
  const model = tinyModel();
  const stage = tinyStage(model, { maxModelLen: 100_000 });
  const before = device.ledger.totalBytes;
  const memoryBytes = 3_000_000;
  const open = () =>
    Rank.open(device, { stage, weights: dummy(model), choose: lastVariant, memoryBytes });
  const { kind, message } = await assertRejects(open, DeviceError);
  assertEquals([kind, device.ledger.totalBytes], ["OutOfMemory", before]);
  const context = Number(/a context of (\d+)/.exec(message)?.[1]);
  assertEquals(memoryProblem({ ...stage, maxModelLen: context }, memoryBytes), undefined);
  assert(memoryProblem({ ...stage, maxModelLen: context + 1 }, memoryBytes) !== undefined);
  assert(
    memoryProblem(
      tinyStage(model, { maxModelLen: 10_000, maxStorageBufferBindingSize: 1 << 17 }),
      Infinity,
    )?.includes(
      "kv_cache",
    ),
  );
  assert(memoryProblem(stage, 300_000)?.includes("With dtype float16 and"));
  assert(memoryProblem(stage, 10_000)?.includes("Not even one layer"));
});

Deno.test("a batch that the stage has no room for is refused and changes nothing", async () => {
  const device = await sharedDevice();
  const model = tinyModel();
  using rank = await Rank.open(device, {
    stage: tinyStage(model),
    weights: dummy(model),
    choose: lastVariant,
    memoryBytes: Infinity,
  });
  const good = { tokenIds: [1], positions: [0], slots: [0], logitsIndices: [0] };
  const { tokenIds } = await rank.step(good);
  for (
    const change of [
      { tokenIds: [] },
      { tokenIds: [101] },
      { tokenIds: [-1] },
      { positions: [32] },
      { slots: [3] },
      { logitsIndices: [1] },
      { positions: [0, 1] },
      {
        tokenIds: new Array(25).fill(1),
        positions: new Array(25).fill(0),
        slots: new Array(25).fill(0),
      },
    ]
  ) await assertRejects(() => rank.step({ ...good, ...change }), RangeError);
  assertEquals((await rank.step(good)).tokenIds, tokenIds);
});

Deno.test("3,000 steps leave memory as it was", async () => {
  const script = new URL("./step_memory.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--v8-flags=--expose-gc",
      "--allow-env",
      "--allow-sys",
      script,
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(text !== "", new TextDecoder().decode(stderr));
  const { heap, native, ledger } = JSON.parse(text);
  assertEquals(ledger, 0);
  // A map that is never released costs 4 KiB a step: 12 MiB here.
  assert(heap < 2 ** 20 && native < 2 ** 23, text);
});

Deno.test.afterAll(closeSharedDevice);
