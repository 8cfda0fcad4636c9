import { assert } from "@std/assert";
import { errorShare } from "../../bench/measure/judge.ts";
import { Workload } from "../../bench/measure/workload.ts";
import { DTYPES } from "../../kernels/kernel.ts";
import { attentionModule, ffnModule, lmHeadModule } from "../../kernels/modules.ts";
import { type Operation, operation, type OperationVariant } from "../../kernels/operation.ts";
import { KERNELS } from "../../kernels/registry.ts";
import { positiveSumError, signedSumError, UNIT_ROUNDOFF } from "../../kernels/rounding.ts";
import { counter } from "./counter.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";
import { RAGGED } from "./shapes.ts";

/** A bound may be so many times the error that is seen. */
const MOST = 30;
/** The largest error of fewer elements says little. */
const ENOUGH_ELEMENTS = 90;

async function check(
  operations: readonly Operation[],
  pick: (operation: Operation) => OperationVariant = ({ variants }) => variants[0]!,
) {
  const device = await sharedDevice();
  using workload = new Workload(device, operations, { seed: 7 });
  workload.poison();
  device.run(workload.bind(pick));
  return await workload.check();
}

for (const [name, operations] of Object.entries(RAGGED)) {
  Deno.test(`bounds of ${name} are at most ${MOST} times the error seen`, async () => {
    let bounded = 0;
    for (const own of operations) {
      const { rows, columns } = own.tensors[own.outputs[0]!]!;
      if (rows * columns < ENOUGH_ELEMENTS) continue;
      const found = await check([own]);
      if (found.tolerance === 0) continue;
      assert(errorShare(found) >= 1 / MOST, `${own.shapeClass}: ${Deno.inspect(found)}`);
      assert(errorShare(found) <= 1, `${own.shapeClass}: ${Deno.inspect(found)}`);
      bounded++;
    }
    const isExact = ["kv_append", "argmax"].includes(name);
    assert(isExact ? bounded === 0 : bounded > 0, `${bounded} bounds`);
  });
}

Deno.test(`bounds of modules are at most ${MOST} times the error seen`, async () => {
  const sizes = { hidden: 128, heads: 4, kvHeads: 2, headSize: 32, ffn: 192, context: 60 };
  const base = { ...sizes, theta: 1e4, bias: true, maxStorageBufferBindingSize: 2 ** 27 };
  for (const dtype of DTYPES) {
    for (const tokens of [1, 9]) {
      const shape = { ...base, dtype, tokens };
      const modules = [
        attentionModule(shape),
        ffnModule({ ...shape, gated: true, activation: "silu" }),
        ffnModule({ ...shape, gated: false, activation: "gelu" }),
        lmHeadModule({ ...shape, vocabStart: 0, rows: 320 }),
      ];
      for (const operations of modules) {
        const found = await check(operations);
        assert(
          errorShare(found) >= 1 / MOST && errorShare(found) <= 1,
          `${dtype} ${tokens}: ${Deno.inspect(found)}`,
        );
      }
    }
  }
});

Deno.test("a scale that is off by 1 % is wrong at the sizes of Mistral 7B", async () => {
  const mistral = { heads: 32, kvHeads: 8, headSize: 128, maxNumSeqs: 1, qColumns: 4096 };
  const own = operation(KERNELS.attention, { ...mistral, tokens: 1, context: 200 });
  const naive = own.variants[0]!;
  const scaled = (factor: number) => ({
    ...naive,
    program: () => {
      const program = naive.program();
      const constants = { ...program.constants, SCALE: factor * program.constants["SCALE"]! };
      return { ...program, constants };
    },
  });
  const [right, wrong] = [
    await check([own], () => scaled(1)),
    await check([own], () => scaled(1.01)),
  ];
  assert(right.wrongElements === 0, Deno.inspect(right));
  assert(wrong.wrongElements > 1000, Deno.inspect(wrong));
});

Deno.test("bounds of sums hold for a thousand sums in float32, and are no looser than they say", () => {
  const next = counter("sums");
  const n = 1000;
  let [signed, positive] = [0, 0];
  for (let repeat = 0; repeat < 1000; repeat++) {
    let [sum32, sum64, mass32, mass64] = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const term = Math.fround(next() * 2 - 1);
      sum32 = Math.fround(sum32 + term);
      sum64 += term;
      mass32 = Math.fround(mass32 + Math.abs(term));
      mass64 += Math.abs(term);
    }
    signed = Math.max(signed, Math.abs(sum32 - sum64));
    positive = Math.max(positive, Math.abs(mass32 / mass64 - 1));
  }
  const bounds = [signedSumError(n, Math.sqrt(1 / 3)), positiveSumError(n)];
  for (const [i, error] of [signed, positive].entries()) {
    assert(error > UNIT_ROUNDOFF && error < bounds[i]! && error > bounds[i]! / 10, `${error}`);
  }
});

Deno.test.afterAll(closeSharedDevice);
