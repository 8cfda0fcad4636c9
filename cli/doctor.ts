import { Command } from "@cliffy/command";
import { Device } from "../device/device.ts";
import { plantFaults } from "../bench/measure/planted_faults.ts";
import { EXIT } from "./exit_status.ts";

/** `doctor`: shows what this machine offers and whether planted faults are caught. */
export function doctorCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Show the adapter and its driver, and whether planted faults are caught.")
    .option("--json", "Print JSON.")
    .action(async (options) => exit(await doctor(options["json"] === true)));
}

async function doctor(json: boolean): Promise<number> {
  await using device = await Device.open();
  const faults = await plantFaults(device);
  const { name, type, features } = device.identity;
  const report = {
    adapter: name,
    adapter_type: type,
    features,
    clock: device.clock,
    readback: device.readBack.mode,
    largest_binding_bytes: device.maxStorageBufferBindingSize,
    planted_faults: Object.fromEntries(faults.map((f) => [f.name, f.caught ? "caught" : "missed"])),
  };
  if (json) console.log(JSON.stringify(report, null, 2));
  else {
    console.log(`adapter         ${name} (${type})`);
    console.log(`clock           ${report.clock}`);
    console.log(`read-back       ${report.readback}`);
    console.log(`largest binding ${report.largest_binding_bytes} bytes`);
    for (const fault of faults) {
      console.log(
        `fault: ${fault.name.padEnd(30)} ${fault.caught ? "caught" : "MISSED"}  ${fault.how}`,
      );
    }
  }
  return faults.every((fault) => fault.caught) ? EXIT.ok : EXIT.wrongResult;
}
