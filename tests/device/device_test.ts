import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { adapterType } from "../../device/adapter.ts";
import { Device } from "../../device/device.ts";
import { DeviceError } from "../../device/device_error.ts";
import type { Program, WgslPart } from "../../device/program.ts";
import { TimestampBatch } from "../../device/timestamps.ts";

const part = (text: string): readonly WgslPart[] => [{ file: "scale.wgsl", text }];

const scale: Program = {
  name: "test/scale",
  wgsl: part(`override FACTOR: u32;
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<uniform> params: vec4u;
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] = data[id.x] * FACTOR + params.x; }
`),
  bindings: [{ name: "data", access: "read_write" }, { name: "params", access: "uniform" }],
  constants: { FACTOR: 3 },
  params: [7],
  workgroups: [2, 1, 1],
};

Deno.test("software adapters are recognised by flag and by name", () => {
  assertEquals(adapterType("llvmpipe (LLVM 15.0.6, 256 bits)", false), "software");
  assertEquals(adapterType("SwiftShader Device", false), "software");
  assertEquals(adapterType("a new one", true), "software");
  assertEquals(adapterType("NVIDIA H100 80GB HBM3", false), "discrete");
  assertEquals(adapterType("AMD Radeon RX 7900 XTX", false), "discrete");
  assertEquals(adapterType("Intel(R) UHD Graphics 620", false), "integrated");
  assertEquals(adapterType("Apple M2", false), "integrated");
  assertEquals(adapterType("mystery", false), "unknown");
});

Deno.test("a program runs on uploaded data with its constants and params", async () => {
  await using device = await Device.open();
  using data = device.allocate({ label: "data", bytes: 64 });
  device.upload(data, Uint32Array.from({ length: 16 }, (_, i) => i));
  const dispatch = device.bind(scale, { data });
  device.run([dispatch]);
  const first = new Uint32Array(await device.download(data));
  assertEquals([...first], Array.from({ length: 16 }, (_, i) => i * 3 + 7));
  device.setParams(dispatch, [100]);
  device.run([dispatch, dispatch]);
  const second = new Uint32Array(await device.download(data));
  assertEquals([...second], [...first].map((v) => (v * 3 + 100) * 3 + 100));
  assertEquals(device.pipelines.size, 1);
});

Deno.test("the ledger equals what is allocated, by label, and forgets what is freed", async () => {
  await using device = await Device.open();
  const before = device.ledger.totalBytes;
  {
    using _a = device.allocate({ label: "weights", bytes: 1000 });
    using _b = device.allocate({ label: "weights", bytes: 16 });
    using _c = device.allocate({ label: "cache", bytes: 4 });
    assertEquals({ ...device.ledger.bytesByLabel() }, { weights: 1008 + 16, cache: 16 });
    assertEquals(device.ledger.totalBytes - before, 1040);
  }
  assertEquals(device.ledger.totalBytes, before);
  assertEquals({ ...device.ledger.bytesByLabel() }, {});
});

Deno.test("eager and awaited read-back agree, at every offset and size", async () => {
  await using device = await Device.open();
  using data = device.allocate({ label: "data", bytes: 8192 });
  device.upload(data, Uint32Array.from({ length: 2048 }, (_, i) => i * 2654435761));
  await device.finish();
  for (const range of [{ bytes: 4 }, { bytes: 3 }, { offset: 8, bytes: 16 }, { bytes: 8192 }]) {
    const awaited = await device.readBack.readAwaited(data.gpu, range);
    const read = await device.readBack.read(data.gpu, range);
    assertEquals(new Uint8Array(read), new Uint8Array(awaited));
    assertEquals(read.byteLength, range.bytes);
    if (device.readBack.mode === "eager") {
      const now = device.readBack.readNow(data.gpu, range);
      assertEquals(new Uint8Array(now), new Uint8Array(awaited));
    }
  }
});

Deno.test("reading a size that was not primed is refused, not a crash", async () => {
  await using device = await Device.open();
  using data = device.allocate({ label: "data", bytes: 4096 });
  assertThrows(() => device.readBack.readNow(data.gpu, { bytes: 4096 }), Error, "Cannot read 4096");
});

Deno.test("a compile error carries the line, its text and a caret", async () => {
  await using device = await Device.open();
  const [{ text }] = scale.wgsl as [WgslPart];
  const wgsl = [
    { file: "prelude.wgsl", text: "// two\n// lines" },
    ...part(text.replace("params.x;", "parms.x;")),
  ];
  const broken = { ...scale, wgsl };
  const error = await assertRejects(() => device.pipelines.compile(broken), DeviceError);
  assertEquals(error.kind, "ShaderCompilation");
  assertStringIncludes(error.message, "scale.wgsl:5:");
  assertStringIncludes(error.message, "parms");
});

Deno.test("a misspelt constant is refused", async () => {
  await using device = await Device.open();
  const misspelt = { ...scale, constants: { FACTR: 3 } };
  await assertRejects(() => device.pipelines.compile(misspelt), DeviceError, "FACTR");
});

Deno.test("the first error of a device is kept and thrown by the next calls", async () => {
  await using device = await Device.open();
  using data = device.allocate({ label: "data", bytes: 64 });
  device.bind({ ...scale, name: "test/broken", wgsl: part("not a shader") }, { data });
  const error = await assertRejects(() => device.finish(), DeviceError, "test/broken");
  const again = assertThrows(() => device.allocate({ label: "x", bytes: 4 }), DeviceError);
  assertEquals(again.message, error.message);
});

Deno.test("a lost device is an error with a name, not a hang", async () => {
  await using device = await Device.open();
  using _data = device.allocate({ label: "data", bytes: 64 });
  await device.lose();
  const error = await assertRejects(() => device.finish(), DeviceError);
  assertEquals(error.name, "DeviceError.DeviceLost");
});

Deno.test("passes are timed by the adapter's clock where it has one", async () => {
  await using device = await Device.open();
  using data = device.allocate({ label: "data", bytes: 64 });
  const dispatch = device.bind(scale, { data });
  using batch = device.timestamps(3);
  if (!batch) {
    assertEquals(device.clock, "host");
    return;
  }
  const passes = [0, 1, 2].map((i) => ({
    dispatches: [dispatch],
    timestampWrites: batch.writes(i),
  }));
  device.submit([device.encode(passes, (encoder) => batch.resolve(encoder, 3))]);
  const durations = TimestampBatch.durationsUs(
    await device.readBack.read(batch.buffer, { bytes: 48 }),
  );
  assertEquals(durations.length, 3);
  for (const duration of durations) assert(duration! > 0 && duration! < 1e6);
});

Deno.test("a clock that runs backwards gives no duration, never a short one", () => {
  const ns = BigUint64Array.of(5000n, 7500n, 9000n, 8999n, 4n, 4n);
  assertEquals(TimestampBatch.durationsUs(ns.buffer), [2.5, undefined, 0]);
});

Deno.test("buffers above the binding limit or the buffer limit are refused by name", async () => {
  await using device = await Device.open();
  const limit = device.identity.limits["maxBufferSize"] ?? 0;
  assertThrows(
    () => device.allocate({ label: "huge", bytes: limit + 16 }),
    DeviceError,
    'Cannot allocate "huge"',
  );
});
