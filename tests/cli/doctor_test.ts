import { assertEquals } from "@std/assert";
import { doctorJson, doctorText, type Examined } from "../../cli/doctor.ts";

const DEVICE = {
  identity: { name: "llvmpipe", type: "software", features: ["shader-f16", "timestamp-query"] },
  clock: "gpu",
  readBack: { mode: "eager" },
  maxStorageBufferBindingSize: 2 ** 27,
} as unknown as Examined;
const FAULTS = [
  { name: "last of ties", caught: true, how: "edge check" },
  { name: "softmax without its largest", caught: false, how: "no check" },
];

Deno.test("doctor's text has a line for the adapter, clock, read-back, bindings, and each fault", () => {
  assertEquals(doctorText(DEVICE, FAULTS).split("\n"), [
    "adapter         llvmpipe (software)",
    "clock           gpu",
    "read-back       eager",
    "largest binding 134217728 bytes",
    "fault: last of ties                   caught  edge check",
    "fault: softmax without its largest    MISSED  no check",
  ]);
});

Deno.test("doctor's JSON says the same by name", () => {
  assertEquals(doctorJson(DEVICE, FAULTS), {
    adapter: "llvmpipe",
    adapter_type: "software",
    features: ["shader-f16", "timestamp-query"],
    clock: "gpu",
    readback: "eager",
    largest_binding_bytes: 134217728,
    planted_faults: {
      "last of ties": "caught",
      "softmax without its largest": "missed",
    },
  });
});
