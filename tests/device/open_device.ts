import { Device } from "../../device/device.ts";

let shared: Promise<Device> | undefined;

/** One device for all tests of a file: opening one takes 100 ms. A missing adapter is a failure. */
export function sharedDevice(): Promise<Device> {
  return shared ??= Device.open();
}

/** Closes the shared device, at the end of a test file. */
export async function closeSharedDevice(): Promise<void> {
  const device = await shared;
  shared = undefined;
  await device?.[Symbol.asyncDispose]();
}
