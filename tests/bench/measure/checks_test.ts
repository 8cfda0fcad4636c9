import { assert, assertEquals } from "@std/assert";
import { EdgeChecks } from "../../../bench/measure/edge_checks.ts";
import { Verifier } from "../../../bench/measure/verifier.ts";
import { POISON, Workload } from "../../../bench/measure/workload.ts";
import { writtenElements } from "../../../bench/measure/written_elements.ts";
import { shaderText } from "../../../device/program.ts";
import { attentionModule, ffnModule } from "../../../kernels/modules.ts";
import type { Operation, OperationVariant } from "../../../kernels/operation.ts";
import { difference } from "../../../kernels/reference_run.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";
import { RAGGED } from "../../kernels/shapes.ts";

const BASE = { hidden: 32, dtype: "float32", maxStorageBufferBindingSize: 2 ** 20 } as const;
const FFN = ffnModule({ ...BASE, tokens: 3, ffn: 48, gated: true, activation: "silu" });
const LAYER = attentionModule({
  ...{ ...BASE, tokens: 2, heads: 4, kvHeads: 2, headSize: 8, context: 12, theta: 1e4 },
  bias: false,
});

/** A variant whose shader has one piece of text replaced. */
function edited(own: Operation, text: string, by: string, at = 0): OperationVariant {
  const right = own.variants[at]!;
  const wgsl = shaderText(right.program());
  assert(wgsl.includes(text), wgsl);
  const parts = [{ file: "test", text: wgsl.replace(text, by) }];
  return { ...right, program: () => ({ ...right.program(), wgsl: parts }) };
}

async function check(
  operations: readonly Operation[],
  fault: (own: Operation) => OperationVariant,
) {
  const device = await sharedDevice();
  using workload = new Workload(device, operations, { seed: 1 });
  workload.poison();
  device.run(workload.bind(fault));
  return await workload.check();
}

Deno.test("an operation is judged by the inputs that it had: one wrong element of the first is one", async () => {
  const found = await check(
    FFN,
    (own) =>
      own === FFN[0]
        ? edited(
          own,
          "[column % 4u];\n}",
          "[column % 4u] + select(0.0, 0.5, row == 1u && column == 7u);\n}",
        )
        : own.variants[0]!,
  );
  assertEquals([found.wrongElements, found.output, found.firstWrong], [1, "gate_up", 96 + 7]);
  assert(Math.abs(found.maxAbsError - 0.5) < 1e-3 && found.tolerance < 1e-4, Deno.inspect(found));
});

Deno.test("rows of the cache that no token writes must stay as they are", async () => {
  const fault = "  if (id.y == 0u) { value_cache[id.x] = vec4f(0.25); }\n}";
  const found = await check(
    LAYER,
    (own) => own.kernel === "kv_append" ? edited(own, "\n}", `\n${fault}`) : own.variants[0]!,
  );
  assertEquals([found.output, found.firstWrong], ["value_cache", 0]);
});

Deno.test("a timed run that writes nothing to the cache, or elsewhere in it, is seen", async () => {
  const device = await sharedDevice();
  using workload = new Workload(device, LAYER, { seed: 1 });
  const right = workload.bind(({ variants }) => variants[0]!);
  workload.poison();
  device.run(right);
  assertEquals((await workload.check()).wrongElements, 0);
  using verifier = new Verifier(device, workload);
  for (let i = 0; i < 2; i++) {
    device.run(right);
    verifier.queue();
  }
  assertEquals(await verifier.mismatchedWords(), 0);
  const key = workload.buffer("key_cache");
  device.upload(key, new Uint32Array(4)); // a position that no token writes
  device.run(right);
  verifier.queue();
  assert(await verifier.mismatchedWords() >= 4);
  device.run(right.filter(({ program }) => !program.name.startsWith("kv_append")));
  verifier.queue();
  assert(await verifier.mismatchedWords() >= 2 * 2 * 2 * 8, "two positions of both caches");
});

Deno.test("what is poisoned of a cache is what the tokens write", async () => {
  const device = await sharedDevice();
  const [, mixed] = RAGGED.kv_append;
  using workload = new Workload(device, [mixed!], { seed: 1 });
  const width = 32;
  const expected = [[0, 36], [2, 0], [2, 1], [2, 2], [1, 17], [0, 3]]
    .flatMap(([slot, at]) =>
      Array.from({ length: width }, (_, i) => (slot! * 37 + at!) * width + i)
    )
    .sort((a, b) => a - b);
  const host = new Map(
    Object.entries(mixed!.tensors).map(([name, { rows, columns, fill }]) => [
      name,
      fill.kind === "words" ? Uint32Array.from(fill.words) : new Float32Array(rows * columns),
    ]),
  );
  assertEquals(writtenElements([mixed!], host, "key_cache"), expected);
  const poisoned = [...workload.blank("value_cache").entries()].filter(([, word]) =>
    word === POISON
  );
  assertEquals(poisoned.map(([i]) => i), expected);
});

Deno.test("a result that is not finite is wrong, whatever the tolerance and what was expected", () => {
  const tensor = { rows: 1, columns: 4, dtype: "float32", fill: { kind: "zero" } } as const;
  const seen = Float32Array.of(Infinity, NaN, -Infinity, 1);
  for (
    const values of [Float64Array.of(1, 1, 1, 1), Float64Array.of(Infinity, Infinity, -Infinity, 1)]
  ) {
    for (const tolerance of [0, 1, Infinity]) {
      const found = difference(seen, { tensor, values, tolerance });
      assertEquals(found, { wrongElements: 3, maxAbsError: Infinity, firstWrong: 0 });
    }
  }
});

Deno.test("every variant is right on the edge cases of its kernel", async () => {
  const checks = new EdgeChecks(await sharedDevice());
  let cases = 0;
  for (const operations of Object.values(RAGGED)) {
    for (const own of operations.slice(0, 2)) {
      cases += own.edgeCases().size;
      for (const variant of own.variants) {
        const failure = await checks.failure(own, variant);
        assertEquals(failure, undefined, `${own.kernel}/${variant.name}`);
      }
    }
  }
  assert(cases > 10, `${cases}`);
});

Deno.test.afterAll(closeSharedDevice);
