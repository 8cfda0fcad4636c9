import type { Device } from "../../../device/device.ts";

/** The machine beside a row: copying takes 25 % longer than at the start. */
export const CANARY = {
  canary_start_multiply_add_us: 10,
  canary_multiply_add_us: 11,
  canary_start_copy_us: 20,
  canary_copy_us: 25,
};
const DEVICE = {
  identity: { name: "an adapter", type: "integrated" },
  clock: "gpu",
  readBack: { mode: "eager" },
} as unknown as Device;
/** A run on an adapter. */
export const CONTEXT = { device: DEVICE, runId: "run 1", canary: CANARY };
/** The cells that every row of it has. */
export const COMMON = {
  schema_version: 2,
  run_id: "run 1",
  adapter: "an adapter",
  adapter_type: "integrated",
  physical_adapters: 1,
  canary_pct: 25,
};
