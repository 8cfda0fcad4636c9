import { Command } from "@cliffy/command";
import type { Device } from "../device/device.ts";
import { openOwnDevice } from "../device/own_device.ts";
import { type PlantedFault, plantFaults } from "../bench/measure/planted_faults.ts";
import { EXIT } from "./exit_status.ts";
import { interruptible } from "./interrupt.ts";

/** `doctor`: shows what this machine offers and whether planted faults are caught. */
export function doctorCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Show the adapter and its driver, and whether planted faults are caught.")
    .option("--json", "Print JSON.")
    .action(async (options) =>
      exit(await interruptible((signal) => doctor(options["json"] === true, signal)))
    );
}

async function doctor(json: boolean, signal: AbortSignal): Promise<number> {
  await using device = await openOwnDevice({}, { signal });
  const faults = await plantFaults(device);
  signal.throwIfAborted();
  console.log(
    json ? JSON.stringify(doctorJson(device, faults), null, 2) : doctorText(device, faults),
  );
  return faults.every((fault) => fault.caught) ? EXIT.ok : EXIT.wrongResult;
}

/** What `doctor` says of a device. */
export type Examined = Pick<
  Device,
  "identity" | "clock" | "readBack" | "maxStorageBufferBindingSize"
>;

/** What a device offers and which faults were caught, for programs. */
export function doctorJson(device: Examined, faults: readonly PlantedFault[]) {
  const { name, type, features } = device.identity;
  return {
    adapter: name,
    adapter_type: type,
    features,
    clock: device.clock,
    readback: device.readBack.mode,
    largest_binding_bytes: device.maxStorageBufferBindingSize,
    planted_faults: Object.fromEntries(faults.map((f) => [f.name, f.caught ? "caught" : "missed"])),
  };
}

/** The same to be read, a line each. */
export function doctorText(device: Examined, faults: readonly PlantedFault[]): string {
  const { name, type } = device.identity;
  return [
    `adapter         ${name} (${type})`,
    `clock           ${device.clock}`,
    `read-back       ${device.readBack.mode}`,
    `largest binding ${device.maxStorageBufferBindingSize} bytes`,
    ...faults.map(({ name, caught, how }) =>
      `fault: ${name.padEnd(30)} ${caught ? "caught" : "MISSED"}  ${how}`
    ),
  ].join("\n");
}
