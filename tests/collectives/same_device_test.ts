import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  countWrong,
  expectedOf,
  operandOf,
} from "../../bench/suites/collectives/collective_loop.ts";
import { unsupported } from "../../collectives/collective.ts";
import { ALGORITHM_NAMES } from "../../collectives/registry.ts";
import { COLLECTIVES } from "../../collectives/registry.ts";
import { hasSumsOnly } from "../../collectives/step_program.ts";
import { SameDevice } from "../../runtime/same_device.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";

for (const ranks of [1, 2, 3, 4, 5, 8, 16]) {
  Deno.test(`every collective of sums is right between ${ranks} logical ranks on one device`, async () => {
    const device = await sharedDevice();
    let runs = 0;
    for (const collective of Object.values(COLLECTIVES)) {
      for (const name of ALGORITHM_NAMES.filter((a) => !unsupported(collective, a, ranks))) {
        const { program } = collective.algorithms[name]!;
        if (!hasSumsOnly(program, ranks)) continue;
        for (const count of [1, 7, 2051]) {
          const shape = { ranks, count, inPlace: false };
          using same = new SameDevice(device, program, shape);
          const own = Array.from({ length: ranks }, (_, rank) => ({ ...shape, rank }));
          for (const one of own) {
            const operand = operandOf(one, { pattern: 1, operand: collective.operand(one) });
            same.upload({ rank: one.rank, memory: "input", start: 0 }, operand);
            same.upload(
              { rank: one.rank, memory: "output", start: 0 },
              new Float32Array(count).fill(NaN),
            );
          }
          device.run(same.dispatches);
          const all = await same.download();
          for (const one of own) {
            const seen = same.memoryOf(all, one.rank, "output");
            const { elements } = countWrong(seen, expectedOf(collective, one, 1), 0);
            assertEquals(
              elements,
              0,
              `${name} ${collective.name}, rank ${one.rank}, ${count} elements`,
            );
          }
          runs++;
        }
      }
    }
    assert(runs >= 30);
  });
}

Deno.test("what one device cannot do is refused", async () => {
  const device = await sharedDevice();
  const { program } = COLLECTIVES.all_reduce.algorithms.one_shot_int8!;
  assertThrows(
    () => new SameDevice(device, program, { ranks: 2, count: 8, inPlace: false }),
    RangeError,
    "quantise",
  );
  const { program: plain } = COLLECTIVES.all_reduce.algorithms.ring!;
  assertThrows(
    () => new SameDevice(device, plain, { ranks: 17, count: 8, inPlace: false }),
    RangeError,
    "1 to 16",
  );
});

Deno.test.afterAll(closeSharedDevice);
