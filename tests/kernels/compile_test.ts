import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { kernelCases } from "../../bench/suites/kernels/kernel_cases.ts";
import { caseOperations, KERNEL_OPS, type KernelOp } from "../../model/kernel_ops.ts";
import { operation } from "../../kernels/operation.ts";
import { KERNELS } from "../../kernels/registry.ts";
import { parseModelShape } from "../../model/shape.ts";
import { legalTensorParallelSizes } from "../../parallel/shard.ts";
import { RAGGED } from "./shapes.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";

const MODELS = new URL("../../models/", import.meta.url);
const OPS = Object.keys(KERNEL_OPS) as KernelOp[];

for (
  const { name: file } of [...Deno.readDirSync(MODELS)].sort((a, b) => a.name < b.name ? -1 : 1)
) {
  Deno.test(`every variant compiles with the full sizes of ${file}, whole and cut`, async () => {
    const device = await sharedDevice();
    const json: unknown = JSON.parse(await Deno.readTextFile(new URL(file, MODELS)));
    const model = parseModelShape(json, { name: file, path: file });
    const legal = legalTensorParallelSizes(model);
    const kernels = {
      ops: OPS,
      tensor_parallel_sizes: [1, legal.at(-1)!],
      tokens: [1, 64],
      context: [256],
      variants: "best" as const,
    };
    const cases = kernelCases({ kernels, dtype: "int8" });
    let compiled = 0;
    for (const case_ of cases) {
      for (const operation of caseOperations(case_, model, device.maxStorageBufferBindingSize)) {
        for (const variant of operation.variants) {
          if (variant.unsupported !== undefined) continue;
          await device.pipelines.compile(variant.program());
          compiled++;
        }
      }
    }
    assert(compiled > 100, `${compiled}`);
  });
}

Deno.test("every part of a shader names the file that it stands in, or the one that generates it", async () => {
  const root = new URL("../../", import.meta.url);
  const parts = Object.values(RAGGED).flat()
    .flatMap(({ variants }) => variants.flatMap((variant) => variant.program().wgsl));
  assert(parts.some(({ file }) => file.endsWith(".ts")));
  for (const { file, text } of parts) {
    const source = await Deno.readTextFile(new URL(file, root));
    if (file.endsWith(".wgsl")) assertEquals(text, source, file);
  }
});

Deno.test("shapes share tuning where they differ in fields that the kernel names, and nowhere else", () => {
  const shape = { tokens: 3, columns: 8, vocabStart: 0, rows: 8, dtype: "int8" } as const;
  const shapeClass = (change: object) =>
    operation(KERNELS.embedding, { ...shape, ...change }).shapeClass;
  assertEquals(shapeClass({ vocabStart: 64, vocab: 128 }), shapeClass({}));
  for (const change of [{ tokens: 5 }, { dtype: "float32" }, { rows: 100 }, { restart: true }]) {
    assertNotEquals(shapeClass(change), shapeClass({}));
  }
});

Deno.test.afterAll(closeSharedDevice);
