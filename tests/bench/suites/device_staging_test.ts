import { assert, assertEquals } from "@std/assert";
import { DeviceStaging } from "../../../bench/suites/collectives/device_staging.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test("writing a result waits for the adapter: an upload that is only queued is not there", async () => {
  const device = await sharedDevice();
  const result = Float32Array.from({ length: 1 << 18 }, (_, i) => i);
  using staging = await DeviceStaging.open(device, { operand: 4, result: result.length });
  const waitedMs = device.readBack.waitMs;
  staging.write(result);
  assert(device.readBack.waitMs > waitedMs);
  assertEquals(await staging.result(result.length), result);
});

Deno.test.afterAll(closeSharedDevice);
