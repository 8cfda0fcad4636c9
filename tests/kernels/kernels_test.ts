import { assert, assertEquals } from "@std/assert";
import { Workload } from "../../bench/measure/workload.ts";
import { KERNELS } from "../../kernels/registry.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";
import { RAGGED } from "./shapes.ts";

for (const [name, operations] of Object.entries(RAGGED)) {
  const variants = operations[0]!.variants.map((variant) => variant.name);
  for (const variantName of variants) {
    Deno.test(`${name}/${variantName} agrees with its float64 reference on ragged shapes`, async () => {
      const device = await sharedDevice();
      let ran = 0;
      for (const operation of operations) {
        const variant = operation.variants.find((v) => v.name === variantName)!;
        if (variant.unsupported !== undefined) continue;
        using workload = new Workload(device, [operation], { seed: 7 });
        await device.pipelines.compile(variant.program());
        const dispatches = workload.bind(() => variant);
        workload.poison();
        device.run(dispatches);
        const found = await workload.check();
        assertEquals(
          { wrong: found.wrongElements, shape: operation.shapeClass },
          { wrong: 0, shape: operation.shapeClass },
          `max error ${found.maxAbsError}, tolerance ${found.tolerance}, first at ${found.firstWrong}`,
        );
        ran++;
      }
      assert(ran > 0, "no shape ran");
    });
  }
}

Deno.test("every kernel of the registry has ragged shapes and starts with a naive variant", () => {
  assertEquals(Object.keys(RAGGED).sort(), Object.keys(KERNELS).sort());
  for (const kernel of Object.values(KERNELS)) assertEquals(kernel.variants[0]?.name, "naive");
});

Deno.test.afterAll(closeSharedDevice);
