import { assertEquals } from "@std/assert";
import { DTYPES } from "../../kernels/kernel.ts";
import { Workload } from "../../bench/measure/workload.ts";
import { columnBlocks, embeddingModule, ffnModule, lmHeadModule } from "../../kernels/modules.ts";
import { vocabShard } from "../../parallel/shard.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";
import type { Operation } from "../../kernels/operation.ts";

const VOCAB = 200;
const HIDDEN = 24;
const TOKENS = 31;

/** Runs operations with their last variants; `table` replaces the rows of the weight. */
async function output(operations: readonly Operation[], name: string, table?: Float32Array) {
  const device = await sharedDevice();
  using workload = new Workload(device, operations, { seed: 3 });
  if (table) device.upload(workload.buffer("table"), table);
  workload.poison();
  device.run(workload.bind((operation) => operation.variants.at(-1)!));
  return new Float32Array(await device.download(workload.buffer(name)));
}

Deno.test("embedding shards sum exactly to the unsharded table, for several ranks", async () => {
  const base = {
    tokens: TOKENS,
    hidden: HIDDEN,
    dtype: "float32",
    maxStorageBufferBindingSize: 1 << 27,
  } as const;
  const table = Float32Array.from({ length: VOCAB * HIDDEN }, (_, i) => Math.sin(i) * 3);
  const whole = embeddingModule({ ...base, vocab: VOCAB, vocabStart: 0, rows: VOCAB });
  const expected = await output(whole, "hidden", table);
  for (const tensorParallelSize of [1, 2, 4, 8, 64]) {
    const sum = new Float32Array(expected.length);
    for (let rank = 0; rank < tensorParallelSize; rank++) {
      const shard = vocabShard({ vocab: VOCAB, tensorParallelSize, tensorParallelRank: rank });
      const rows = shard.end - shard.start;
      const own = table.slice(shard.start * HIDDEN, shard.end * HIDDEN);
      const operations = embeddingModule({ ...base, vocab: VOCAB, vocabStart: shard.start, rows });
      const part = await output(operations, "hidden", own);
      for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
    }
    assertEquals(sum, expected);
  }
});

Deno.test("a weight wider than the binding limit is cut into blocks that cover it once", () => {
  const blocks = columnBlocks({ rows: 4096, columns: 14336 }, {
    dtype: "float32",
    maxStorageBufferBindingSize: 1 << 27,
  });
  assertEquals(blocks.map((b) => b.columns).reduce((a, b) => a + b, 0), 14336);
  let next = 0;
  for (const { offset, columns } of blocks) {
    assertEquals([offset, offset % 4], [next, 0]);
    assertEquals(columns * 4096 * 4 <= 1 << 27, true);
    next += columns;
  }
});

Deno.test("modules cut into column blocks agree with their float64 references", async () => {
  const device = await sharedDevice();
  const tiny = { tokens: 5, hidden: 40, maxStorageBufferBindingSize: 40 * 4 * 16 };
  for (const dtype of DTYPES) {
    const modules = [
      ffnModule({ ...tiny, dtype, ffn: 44, gated: true, activation: "silu" }),
      ffnModule({ ...tiny, dtype, ffn: 52, gated: false, activation: "gelu" }),
      lmHeadModule({ ...tiny, dtype, vocab: 131, vocabStart: 0, rows: 131 }),
      embeddingModule({ ...tiny, dtype, vocab: 61, vocabStart: 0, rows: 61 }),
    ];
    for (const operations of modules) {
      using workload = new Workload(device, operations, { seed: 5 });
      workload.poison();
      device.run(workload.bind((operation) => operation.variants[0]!));
      const { wrongElements, output } = await workload.check();
      assertEquals([wrongElements, output !== ""], [0, true], `${dtype} ${output}`);
    }
  }
});

Deno.test("the ledger of a workload equals the bytes of its tensors", async () => {
  const device = await sharedDevice();
  const before = device.ledger.totalBytes;
  const operations = lmHeadModule({
    tokens: 3,
    hidden: 16,
    dtype: "float32",
    maxStorageBufferBindingSize: 1 << 20,
    vocab: 64,
    vocabStart: 0,
    rows: 64,
  });
  {
    using workload = new Workload(device, operations, { seed: 0 });
    const { head_weight, logits, hidden } = device.ledger.bytesByLabel();
    assertEquals([head_weight, logits, hidden], [16 * 64 * 4, 3 * 64 * 4, 3 * 16 * 4]);
    workload.poison();
  }
  assertEquals(device.ledger.totalBytes, before);
});

Deno.test.afterAll(closeSharedDevice);
