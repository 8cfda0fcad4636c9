import { assert, assertEquals } from "@std/assert";
import { Timer } from "../../../bench/measure/timer.ts";
import { Tuner } from "../../../bench/measure/tuner.ts";
import { TuningStore } from "../../../bench/measure/tuning_store.ts";
import { Device } from "../../../device/device.ts";
import { shaderText } from "../../../device/program.ts";
import { operation } from "../../../kernels/operation.ts";
import { shortHash } from "../../../records/files/short_hash.ts";
import { inFolder } from "../../in_folder.ts";
import { KERNELS } from "../../../kernels/registry.ts";

Deno.test("the tuner tries every candidate once, keeps their times and the fastest", async () => {
  await using device = await Device.open();
  using timer = await new Timer(device).ready();
  await inFolder(async (folder) => {
    const shape = operation(KERNELS.gemv, { tokens: 1, k: 64, columns: 96, dtype: "int8" });
    const open = () => TuningStore.open(device.identity, folder);
    const store = await open();
    const best = await new Tuner(device, timer, store).best(shape);
    await store.save();
    const [file] = [...Deno.readDirSync(folder)];
    const { adapter, entries } = JSON.parse(Deno.readTextFileSync(`${folder}/${file!.name}`));
    assertEquals(adapter, device.identity.name);
    const { timesUs } = entries[shape.shapeClass];
    assertEquals(Object.keys(timesUs).sort(), shape.variants.map((v) => v.name).sort());
    assertEquals(timesUs[best.name], Math.min(...Object.values<number>(timesUs)));
    const compiled = device.pipelines.size;
    const again = await new Tuner(device, timer, await open()).best(shape);
    assertEquals([again.name, device.pipelines.size], [best.name, compiled]);
    assert(entries[shape.shapeClass].best === best.name);
  });
});

Deno.test("a variant that was added since is tried though its class of shapes is known", async () => {
  await using device = await Device.open();
  using timer = await new Timer(device).ready();
  const store = TuningStore.open(device.identity);
  const tuner = new Tuner(device, timer, store);
  const shape = operation(KERNELS.softmax, { rows: 3, columns: 64 });
  await tuner.best({ ...shape, variants: shape.variants.slice(0, 2) });
  const tried = () => store.bestVariant(shape.shapeClass, shaders);
  const shaders = Object.fromEntries(
    shape.variants.map(({ name, program }) => [name, shortHash(shaderText(program()))]),
  );
  assertEquals(tried(), undefined);
  await tuner.best(shape);
  assert(tried() !== undefined);
});
