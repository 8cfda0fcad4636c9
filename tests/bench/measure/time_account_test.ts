import { assertEquals } from "@std/assert";
import { TimeAccount } from "../../../bench/measure/time_account.ts";

Deno.test("time that ranks take is theirs, not the harness's, but for what the own device takes meanwhile", async () => {
  const clock = { ms: 100 };
  const device = { readBack: { waitMs: 7 }, pipelines: { compileMs: 3 } };
  const account = new TimeAccount(device, () => clock.ms);
  clock.ms += 5; // the harness
  account.setUp(() => clock.ms += 2);
  await account.ranks(async () => {
    clock.ms += 40;
    await Promise.resolve();
    clock.ms += 10;
    device.readBack.waitMs += 10; // the device beside them
    clock.ms += 1;
    device.pipelines.compileMs += 1;
    account.setUp(() => clock.ms += 4);
  });
  clock.ms += 20;
  device.readBack.waitMs += 20;
  assertEquals(account.shares, {
    total: 82,
    set_up: 6,
    compile: 1,
    gpu_and_waiting: 30,
    ranks: 40,
    harness: 5,
  });
});
