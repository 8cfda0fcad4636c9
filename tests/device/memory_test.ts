import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device } from "../../device/device.ts";
import { DeviceError, kindOfGpuError } from "../../device/device_error.ts";
import { Ledger } from "../../device/ledger.ts";
import { pipelineKey, type Program, sourceLine } from "../../device/program.ts";
import { closeSharedDevice, sharedDevice } from "./open_device.ts";

/** Adds up to eight params to as many words. */
const ADD: Program = {
  name: "test/add",
  wgsl: [{
    file: "add.wgsl",
    text: `override FIRST: u32;
@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read_write> b: array<u32>;
@group(0) @binding(2) var<uniform> params: array<vec4u, 2>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) id: vec3u) {
  b[id.x] = a[id.x] + FIRST + params[id.x / 4u][id.x % 4u];
}
`,
  }],
  bindings: [
    { name: "a", access: "read" },
    { name: "b", access: "read_write" },
    { name: "params", access: "uniform" },
  ],
  constants: { FIRST: 100 },
  params: [1, 2, 3, 4, 5, 6, 7, 8],
  workgroups: [8, 1, 1],
};

const ramp = (length: number) => Uint32Array.from({ length }, (_, i) => i + 1);

async function words(device: Device, buffer: Parameters<Device["download"]>[0]) {
  return [...new Uint32Array(await device.download(buffer))];
}

Deno.test("memory comes in whole 16 bytes, zeroed, and is given back once", async () => {
  const device = await sharedDevice();
  const before = device.ledger.totalBytes;
  const bytes = [0, 1, 16, 17].map((bytes) => device.allocate({ label: "some", bytes }));
  assertEquals(bytes.map((buffer) => buffer.bytes), [16, 16, 16, 32]);
  assertEquals(await words(device, bytes[3]!), new Array(8).fill(0));
  for (const buffer of [...bytes, ...bytes]) buffer.destroy();
  assertEquals(device.ledger.totalBytes, before);
});

Deno.test("a ledger gives back no more than a label has", () => {
  const ledger = new Ledger();
  ledger.add("a", 32);
  ledger.add("b", 16);
  ledger.remove("a", 16);
  assertEquals([ledger.totalBytes, ledger.bytesByLabel()], [32, { a: 16, b: 16 }]);
  assertThrows(() => ledger.remove("a", 20), RangeError, '"a": 4 bytes more than it has');
  assertEquals(ledger.totalBytes, 32);
});

Deno.test("an upload goes to its offset, padded to whole words, and nowhere else", async () => {
  const device = await sharedDevice();
  using buffer = device.allocate({ label: "data", bytes: 32 });
  device.upload(buffer, new Uint32Array(8).fill(0xffffffff));
  device.upload(buffer, Uint8Array.of(1, 2, 3, 4, 5), 8);
  device.upload(buffer, Uint32Array.of(9, 8, 7, 6).subarray(1, 3), 24);
  device.upload(buffer, new Uint8Array(0), 4);
  const all = 0xffffffff;
  assertEquals(await words(device, buffer), [all, all, 0x04030201, 5, all, all, 8, 7]);
  assertThrows(() => device.upload(buffer, new Uint8Array(5), 28), RangeError, "28 + 5 bytes");
});

Deno.test("a copy takes as many bytes as the smaller buffer has", async () => {
  const device = await sharedDevice();
  using small = device.allocate({ label: "small", bytes: 16 });
  using large = device.allocate({ label: "large", bytes: 32 });
  device.upload(large, ramp(8));
  device.copy(large, small);
  assertEquals(await words(device, small), [1, 2, 3, 4]);
  device.upload(small, Uint32Array.of(50, 60, 70, 80));
  device.copy(small, large);
  assertEquals(await words(device, large), [50, 60, 70, 80, 5, 6, 7, 8]);
});

Deno.test("a program has eight params of its own, or those of a shared uniform", async () => {
  const device = await sharedDevice();
  using a = device.allocate({ label: "a", bytes: 32 });
  using b = device.allocate({ label: "b", bytes: 32 });
  device.upload(a, ramp(8));
  const own = device.bind(ADD, { a, b });
  device.run([own]);
  assertEquals(await words(device, b), [102, 104, 106, 108, 110, 112, 114, 116]);
  device.setParams(own, [10]);
  device.run([own]);
  assertEquals(await words(device, b), [111, 102, 103, 104, 105, 106, 107, 108]);
  assertThrows(() => device.setParams(own, new Array(9).fill(0)), RangeError);
  using params = device.allocate({ label: "shared", bytes: 32, uniform: true });
  device.upload(params, new Uint32Array(8).fill(1000));
  const shared = device.bind(ADD, { a, b, params });
  device.setParams(shared, [5]);
  device.run([shared]);
  assertEquals((await words(device, b)).slice(0, 2), [1101, 1102], "left alone");
  assertEquals(shared.params, undefined);
  own.params!.destroy();
  assertThrows(() => device.bind(ADD, { a }), TypeError, 'no buffer for "b"');
});

Deno.test("a program without workgroups runs nothing, one with other constants is another pipeline", async () => {
  const device = await sharedDevice();
  using a = device.allocate({ label: "a", bytes: 32 });
  using b = device.allocate({ label: "b", bytes: 32 });
  const nothing = device.bind({ ...ADD, workgroups: [8, 0, 1] }, { a, b });
  const pipelines = device.pipelines.size;
  const other = device.bind({ ...ADD, constants: { FIRST: 7 }, params: [] }, { a, b });
  assertEquals(device.pipelines.size, pipelines + 1);
  device.run([nothing]);
  assertEquals(await words(device, b), new Array(8).fill(0));
  device.run([other, nothing]);
  assertEquals(await words(device, b), new Array(8).fill(7));
  for (const { params } of [nothing, other]) params!.destroy();
});

Deno.test("the time of pipelines is counted, once each", async () => {
  const device = await sharedDevice();
  const program = { ...ADD, constants: { FIRST: 1234 } };
  assertEquals(device.pipelines.createMs(program), 0);
  const before = device.pipelines.compileMs;
  await device.pipelines.compile(program);
  const took = device.pipelines.createMs(program);
  assert(took > 0 && took < 60_000, `${took}`);
  assertEquals(device.pipelines.compileMs, before + took);
  device.pipelines.get(program);
  await device.pipelines.compile(program);
  assertEquals([device.pipelines.createMs(program), device.pipelines.compileMs], [
    took,
    before + took,
  ]);
});

Deno.test("a pipeline's key is its shader and constants in any order, not its params or workgroups", () => {
  const two = { ...ADD, constants: { A: 1, B: 2 } };
  const key = pipelineKey(two);
  const same = { ...two, constants: { B: 2, A: 1 }, params: [], workgroups: [1, 1, 1] } as const;
  assertEquals(pipelineKey(same), key);
  assertEquals(pipelineKey({ ...two, constants: { A: 1, B: 3 } }) === key, false);
  assertEquals(pipelineKey({ ...two, wgsl: [] }) === key, false);
});

Deno.test("a line of a shader is found in the part that it stands in", () => {
  const wgsl = [{ file: "a", text: "1\n2" }, { file: "b", text: "3\n4" }];
  const lines = [1, 2, 3, 4, 5].map((line) => Object.values(sourceLine({ wgsl }, line)));
  assertEquals(lines, [["a", 1, "1"], ["a", 2, "2"], ["b", 1, "3"], ["b", 2, "4"], ["b", 5, ""]]);
});

Deno.test("sizes up to the next power of two share primed buffers, one for each read under way", async () => {
  await using device = await Device.open();
  const { readBack } = device;
  if (readBack.mode !== "eager") return;
  using data = device.allocate({ label: "data", bytes: 1024 });
  device.upload(data, ramp(256));
  await readBack.prime(400);
  const first = readBack.start(data.gpu, { offset: 8, bytes: 300 });
  assertThrows(() => readBack.start(data.gpu, { bytes: 257 }), Error, "Cannot read 257 bytes now");
  assertEquals([...new Uint32Array(first.finish())], [...ramp(77).subarray(2)]);
  const again = readBack.start(data.gpu, { bytes: 512 });
  const into = new Float32Array(128);
  again.finishInto(into);
  assertEquals([...new Uint32Array(into.buffer)], [...ramp(128)]);
  assertThrows(() => readBack.readNow(data.gpu, { bytes: 513 }), Error, "no buffer is primed");
  await readBack.prime(512);
  await readBack.prime(512);
  const one = readBack.start(data.gpu, { bytes: 512 });
  assertThrows(() => readBack.start(data.gpu, { bytes: 512 }), Error, "primed");
  one.finish();
  const before = readBack.waitMs;
  assert(before > 0 && before < 60_000, `${before}`);
  readBack.readNow(data.gpu, { bytes: 512 });
  const between = readBack.waitMs;
  await readBack.readAwaited(data.gpu, { bytes: 4 });
  assert(between > before && readBack.waitMs > between, `${before} ${between}`);
});

Deno.test("an error that was handled is forgotten, another than the device's and its loss are not", async () => {
  await using device = await Device.open();
  device.errors.report(new DeviceError("Validation", "first\nsecond"));
  device.errors.report(new DeviceError("Internal", "later"));
  const kept = assertThrows(() => device.allocate({ label: "x", bytes: 4 }), DeviceError, "first");
  assertEquals(device.errors.recover(kept), "first");
  device.errors.check();
  assertThrows(() => device.errors.recover(new TypeError("other")), TypeError, "other");
  const lost = new DeviceError("DeviceLost", "gone");
  device.errors.report(lost);
  assertThrows(() => device.errors.recover(lost), DeviceError, "gone");
  assertThrows(() => device.errors.check(), DeviceError, "gone");
});

Deno.test("errors of WebGPU are told apart by their classes", () => {
  const errors = [GPUOutOfMemoryError, GPUValidationError, GPUInternalError];
  const kinds = errors.map((Kind) => kindOfGpuError(new Kind("full")));
  assertEquals(kinds, ["OutOfMemory", "Validation", "Internal"]);
});

Deno.test("a closed device is refused; closing it again does nothing", async () => {
  const device = await Device.open();
  const { maxStorageBufferBindingSize = 0, maxBufferSize = 0 } = device.identity.limits;
  assertEquals(
    device.maxStorageBufferBindingSize,
    Math.min(maxStorageBufferBindingSize, maxBufferSize),
  );
  assertEquals(device.clock === "gpu", device.identity.features.includes("timestamp-query"));
  await device[Symbol.asyncDispose]();
  await device[Symbol.asyncDispose]();
  assertThrows(() => device.allocate({ label: "x", bytes: 4 }), DeviceError, "it is closed");
  await assertRejects(() => device.finish(), DeviceError, "it is closed");
});

Deno.test.afterAll(closeSharedDevice);
