import { assert, assertEquals } from "@std/assert";
import { Timer } from "../../../bench/measure/timer.ts";
import { Tuner } from "../../../bench/measure/tuner.ts";
import { Device } from "../../../device/device.ts";
import { operation } from "../../../kernels/operation.ts";
import { KERNELS } from "../../../kernels/registry.ts";

Deno.test("the tuner tries every candidate once, keeps their times and the fastest", async () => {
  await using device = await Device.open();
  using timer = await new Timer(device).ready();
  const folder = await Deno.makeTempDir();
  try {
    const shape = operation(KERNELS.gemv, { tokens: 1, k: 64, columns: 96, dtype: "int8" });
    const tuner = await Tuner.open(device, timer, folder);
    const best = await tuner.best(shape);
    await tuner.save();
    const [file] = [...Deno.readDirSync(folder)];
    const { adapter, entries } = JSON.parse(Deno.readTextFileSync(`${folder}/${file!.name}`));
    assertEquals(adapter, device.identity.name);
    const { timesUs } = entries[shape.shapeClass];
    assertEquals(Object.keys(timesUs).sort(), shape.variants.map((v) => v.name).sort());
    assertEquals(timesUs[best.name], Math.min(...Object.values<number>(timesUs)));
    const compiled = device.pipelines.size;
    const again = await (await Tuner.open(device, timer, folder)).best(shape);
    assertEquals([again.name, device.pipelines.size], [best.name, compiled]);
    assert(entries[shape.shapeClass].best === best.name);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
