import { assert, assertEquals, assertThrows } from "@std/assert";
import { countWrong, operandPatterns } from "../../bench/suites/collectives/operand_patterns.ts";
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
          const own = Array.from(
            { length: ranks },
            (_, rank) => operandPatterns(collective, { ...shape, rank })[1]!,
          );
          const poison = new Float32Array(count).fill(NaN);
          for (const [rank, { operand }] of own.entries()) {
            same.upload({ rank, memory: "input", start: 0 }, operand);
            same.upload({ rank, memory: "output", start: 0 }, poison);
          }
          device.run(same.dispatches);
          const all = await same.download();
          for (const [rank, { expected }] of own.entries()) {
            const { elements } = countWrong(same.memoryOf(all, rank, "output"), expected, 0);
            assertEquals(
              elements,
              0,
              `${name} ${collective.name}, rank ${rank}, ${count} elements`,
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
