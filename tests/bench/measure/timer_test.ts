import { assert, assertEquals } from "@std/assert";
import { canaryPrograms } from "../../../bench/measure/ceilings.ts";
import { Timer } from "../../../bench/measure/timer.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test("what was queued before a sample, and what evicts caches, is no part of its time", async () => {
  const device = await sharedDevice();
  using timer = await new Timer(device).ready();
  using from_ = device.allocate({ label: "from", bytes: 2 ** 16 });
  using to = device.allocate({ label: "to", bytes: 2 ** 16 });
  const [long, short] = canaryPrograms(2 ** 12).map((p) => device.bind(p, { from_, to }));
  await timer.sample([long!]);
  await timer.sample([short!]);
  const limit = (await timer.sample([long!])).hostUs / 2;
  const least = async (sample: () => Promise<{ readonly hostUs: number }>) => {
    let us = Infinity; // the machine may be busy, but not three times
    for (let i = 0; i < 3; i++) us = Math.min(us, (await sample()).hostUs);
    return us;
  };
  const queued = await least(() => {
    device.run([long!]);
    return timer.sample([short!]);
  });
  const evicted = await least(() => timer.sample([short!], long!));
  assert(queued < limit && evicted < limit, `${queued} and ${evicted} us, limit ${limit} us`);
});

Deno.test("warm-up ends when two runs take the same time, which one run never shows, or after the most", async () => {
  const device = await sharedDevice();
  const runs = async (timesUs: readonly number[]) => {
    let run = 0;
    using timer = new Timer(device);
    timer.sample = () => Promise.resolve({ gpuUs: timesUs[run++]!, hostUs: 1, submitUs: 1 });
    await timer.warmUp([]);
    return run;
  };
  assertEquals(await runs([100, 104, 1]), 2);
  assertEquals(await runs([100, 105, 1]), 2);
  assertEquals(await runs([100, 105.1, 105.1]), 3);
  assertEquals(await runs([100, 90, 80, 84, 1]), 4);
  assertEquals(await runs([100, 90, 80, 70, 60, 60]), 5);
});

Deno.test.afterAll(closeSharedDevice);
