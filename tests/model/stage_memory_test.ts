import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memoryProblem, stageBuffers, stageMemory } from "../../model/stage_memory.ts";
import type { Stage } from "../../model/stage_program.ts";
import { tinyModel, tinyStage } from "../runtime/tiny.ts";

const STAGE = tinyStage(tinyModel());

/** The longest context that fits, by trying all. */
function longest(stage: Stage, memoryBytes: number): number {
  let found = 0;
  for (let maxModelLen = 1; maxModelLen <= stage.maxModelLen; maxModelLen++) {
    if (stageMemory({ ...stage, maxModelLen }).totalBytes <= memoryBytes) found = maxModelLen;
  }
  return found;
}

Deno.test("the memory of a stage by hand: weights, KV cache, and the rest", () => {
  const { weightBytes, kvCacheBytes, workBytes, totalBytes, largest } = stageMemory(STAGE);
  // H 64, N 4, K 2, D 16, F 96, P 128, 2 layers: q, k, v; o; gate, up; down; two norms.
  const layer = 64 * 128 + 64 * 64 + 64 * 192 + 96 * 64 + 2 * 64;
  assertEquals(weightBytes, 4 * (2 * layer + 2 * 128 * 64 + 64));
  // Keys and values of 2 layers, 3 sequences of 32 positions.
  assertEquals(kvCacheBytes, 4 * 2 * 2 * 3 * 32 * 2 * 16);
  assertEquals(totalBytes, weightBytes + kvCacheBytes + workBytes);
  const sizes = [...stageBuffers(STAGE).values()].map(({ rows, columns }) => 4 * rows * columns);
  assertEquals(largest.bytes, Math.max(...sizes));
  assertEquals(largest.bytes, 4 * 64 * 192);
  assertEquals(workBytes > 0, true);
});

Deno.test("weights in half precision take half, in int8 a quarter and a scale a column", () => {
  const bytes = (dtype: Stage["dtype"]) => stageMemory({ ...STAGE, dtype }).weightBytes;
  const norms = 4 * 64 * 5;
  const whole = bytes("float32") - norms;
  assertEquals(bytes("float16"), whole / 2 + norms);
  // Columns of q, k, v; o; gate, up; down of each layer, of the embedding and of the head.
  const scales = 4 * (2 * (128 + 64 + 192 + 64) + 64 + 128);
  assertEquals(bytes("int8"), whole / 4 + norms + scales);
});

Deno.test("a stage that fits to the byte has no problem; one byte less names what is taken, and what would fit", () => {
  const { totalBytes, weightBytes, kvCacheBytes, workBytes } = stageMemory(STAGE);
  assertEquals(memoryProblem(STAGE, totalBytes), undefined);
  const problem = memoryProblem(STAGE, totalBytes - 1)!;
  const taken = `(weights ${weightBytes}, KV cache ${kvCacheBytes}, work ${workBytes})`;
  assertStringIncludes(problem, `${totalBytes} bytes ${taken.slice(0, -1)}`);
  for (const less of [1, 5_000, 20_000, 40_000]) {
    const context = longest(STAGE, totalBytes - less);
    assert(context >= 1 && context < 32, `${context}`);
    const words =
      `With a context of ${context}, of 3 sequences at once it would fit (asked for: 32)`;
    assertStringIncludes(memoryProblem(STAGE, totalBytes - less)!, words);
  }
  const one = { ...STAGE, maxNumSeqs: 1 };
  const words = memoryProblem(one, stageMemory(one).totalBytes - 1)!;
  assertStringIncludes(words, "With a context of 31 it would fit");
});

Deno.test("where no context fits, the next storage type is named, then how many layers would fit", () => {
  const short = { ...STAGE, maxModelLen: 1 };
  const half = stageMemory({ ...short, dtype: "float16" }).totalBytes;
  assertStringIncludes(memoryProblem(short, half)!, "With dtype float16 and a context of 1,");
  assertStringIncludes(memoryProblem(short, half - 1)!, "With dtype int8 and a context of 1,");
  const deep = tinyStage(tinyModel({ num_hidden_layers: 5 }), { dtype: "int8", maxModelLen: 1 });
  for (const count of [1, 2, 4]) {
    const { totalBytes } = stageMemory({ ...deep, endLayer: count });
    const words = `${count} of its 5 layers would fit: cut it over more ranks.`;
    assertStringIncludes(memoryProblem(deep, totalBytes)!, words);
  }
  assertStringIncludes(memoryProblem(deep, 1000)!, "Not even one layer of it would fit.");
});

Deno.test("a buffer that the adapter cannot bind is a problem however much memory there is", () => {
  // 24 tokens of gate and up; matrices are cut into columns instead.
  const limited = (limit: number) => ({ ...STAGE, maxStorageBufferBindingSize: limit });
  assertEquals(memoryProblem(limited(4 * 24 * 192), Infinity), undefined);
  const problem = memoryProblem(limited(4 * 24 * 192 - 1), Infinity)!;
  const words = 'its buffer "state.gate_up" takes 18432 bytes; the adapter binds at most 18431.';
  assertStringIncludes(problem, words);
});
