import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ReadBack } from "../../device/read_back.ts";
import { TimestampBatch } from "../../device/timestamps.ts";
import { onClock } from "./played_clock.ts";

interface Played {
  /** What a mapped range holds; it throws where absent. */
  readonly mapped?: Uint32Array;
  /** Changes what the eager path gives. */
  readonly isWrong?: boolean;
}

/** A WebGPU device of which buffers, maps, copies and submissions are noted; each takes its time. */
function playedGpu(clock: { ms: number }, { mapped, isWrong = false }: Played = {}) {
  const log: string[] = [];
  let buffers = 0;
  let written = mapped ?? new Uint32Array(256);
  const gpu = {
    createBuffer: ({ size, usage }: GPUBufferDescriptor) => {
      const name = `b${buffers++}`;
      log.push(`${name} of ${size} for ${usage}`);
      return {
        name,
        mapAsync: () => {
          log.push(`map ${name}`);
          clock.ms += 3;
          return Promise.resolve();
        },
        getMappedRange: (offset: number, length: number) => {
          log.push(`range ${name} ${offset} ${length}`);
          clock.ms += 20;
          const bytes = written.buffer.slice(0, length) as ArrayBuffer;
          if (isWrong) new Uint8Array(bytes)[length - 1]! ^= 1;
          return bytes;
        },
        unmap: () => void log.push(`unmap ${name}`),
        destroy: () => void log.push(`destroy ${name}`),
      };
    },
    createCommandEncoder: () => {
      let copy = "";
      return {
        copyBufferToBuffer: (
          from_: { readonly name: string },
          at: number,
          to: { readonly name: string },
          toAt: number,
          bytes: number,
        ) => copy = `${from_.name}+${at} to ${to.name}+${toAt}, ${bytes}`,
        finish: () => `copy ${copy}`,
      };
    },
    queue: {
      writeBuffer: (_: unknown, at: number, data: Uint32Array) => {
        log.push(`write ${data.byteLength} at ${at}`);
        written = data;
      },
      submit: (commands: readonly string[]) => {
        clock.ms += 5;
        log.push(`submit ${commands.join("; ")}`);
      },
    },
  };
  return { gpu: gpu as unknown as GPUDevice, log };
}

const READ = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
const SOURCE = { name: "source" } as unknown as GPUBuffer;

Deno.test("a probe sends 16 known bytes and is eager where they come back at once", () =>
  onClock(async (clock) => {
    const { gpu, log } = playedGpu(clock);
    const readBack = new ReadBack(gpu);
    assertEquals([readBack.mode, readBack.waitMs], ["awaited", 0]);
    assertEquals(await readBack.probe(), "eager");
    assertEquals(log, [
      `b0 of 16 for ${GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST}`,
      "write 16 at 0",
      `b1 of 256 for ${READ}`,
      "map b1",
      "unmap b1",
      "submit copy b0+0 to b1+0, 16",
      "map b1",
      "range b1 0 16",
      "unmap b1",
      "destroy b0",
    ]);
    const other = playedGpu(clock, { isWrong: true });
    const wrong = new ReadBack(other.gpu);
    assertEquals([await wrong.probe(), wrong.mode], ["awaited", "awaited"]);
    assertThrows(() => wrong.readNow(SOURCE, { bytes: 16 }), Error, "the mode is awaited");
    assertEquals(other.log.at(-1), "destroy b0");
  }));

Deno.test("an eager read takes the copy, the map and the range, which are waited for", () =>
  onClock(async (clock) => {
    const { gpu, log } = playedGpu(clock, { mapped: Uint32Array.of(1, 2, 3, 4) });
    const readBack = new ReadBack(gpu);
    await readBack.probe();
    const before = readBack.waitMs;
    assertEquals(before, 5 + 3 + 20);
    log.length = 0;
    const bytes = readBack.readNow(SOURCE, { offset: 8, bytes: 6 }, ["work" as never]);
    assertEquals(bytes.byteLength, 6);
    assertEquals(readBack.waitMs - before, 28);
    assertEquals(log, [
      "submit work; copy source+8 to b1+0, 8",
      "map b1",
      "range b1 0 8",
      "unmap b1",
    ]);
    const pending = readBack.start(SOURCE, { bytes: 8 });
    const [submitted, into] = [readBack.waitMs, new Float32Array(2)];
    pending.finishInto(into);
    assertEquals(readBack.waitMs - submitted, 23, "submitting is no waiting here");
    assertEquals(into, new Float32Array(Uint32Array.from(PROBE.slice(0, 2)).buffer));
    await readBack.yield();
    assertEquals((await readBack.read(SOURCE, { bytes: 12 })).byteLength, 12);
  }));

const PROBE = [0x5eed1234, 0x0badcafe, 0x13579bdf, 0x2468ace0];

Deno.test("an awaited read takes a buffer of its size again, and counts its wait", () =>
  onClock(async (clock) => {
    const { gpu, log } = playedGpu(clock);
    const readBack = new ReadBack(gpu);
    const first = await readBack.read(SOURCE, { bytes: 300, offset: 4 });
    assertEquals([first.byteLength, readBack.waitMs], [300, 8]);
    assertEquals(log, [
      `b0 of 512 for ${READ}`,
      "map b0",
      "unmap b0",
      "submit copy source+4 to b0+0, 300",
      "map b0",
      "range b0 0 300",
      "unmap b0",
    ]);
    log.length = 0;
    assertEquals((await readBack.read(SOURCE, { bytes: 510 })).byteLength, 510);
    assertEquals(log.filter((line) => / of /.test(line)), []);
    assertEquals([log[0], log[2]], ["submit copy source+0 to b0+0, 512", "range b0 0 512"]);
    await readBack.prime(512);
    assertEquals(log.filter((line) => / of /.test(line)), []);
    await readBack.prime(513);
    assertEquals(log.filter((line) => / of /.test(line)), [`b1 of 1024 for ${READ}`]);
    await readBack.drain();
    assertEquals(log.slice(-2), ["destroy b0", "destroy b1"]);
  }));

Deno.test("a batch of timestamps has two places a pass, resolves those that ran and frees what it took", () => {
  const log: string[] = [];
  const gpu = {
    createQuerySet: ({ type, count }: GPUQuerySetDescriptor) => {
      log.push(`${type} ${count}`);
      return { destroy: () => void log.push("destroy queries") };
    },
    createBuffer: ({ size, usage }: GPUBufferDescriptor) => {
      log.push(`${size} for ${usage}`);
      return { destroy: () => void log.push("destroy buffer") };
    },
  } as unknown as GPUDevice;
  const batch = new TimestampBatch(gpu, 3);
  assertEquals(batch.capacity, 3);
  const { querySet: _, ...places } = batch.writes(2);
  assertEquals(places, { beginningOfPassWriteIndex: 4, endOfPassWriteIndex: 5 });
  const encoder = {
    resolveQuerySet: (_: unknown, ...rest: unknown[]) => {
      log.push(`resolve ${rest[0]} ${rest[1]} ${rest[2] === batch.buffer} ${rest[3]}`);
    },
  } as unknown as GPUCommandEncoder;
  batch.resolve(encoder, 2);
  batch[Symbol.dispose]();
  const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
  assertEquals(log, [
    "timestamp 6",
    `48 for ${usage}`,
    "resolve 0 4 true 0",
    "destroy queries",
    "destroy buffer",
  ]);
  const ns = BigUint64Array.of(1000n, 3500n, 9n, 9n, 5n, 4n, 7n);
  const durations = TimestampBatch.durationsUs(ns.buffer);
  assertEquals(durations, [2.5, 0, undefined]);
  assertAlmostEquals(
    TimestampBatch.durationsUs(BigUint64Array.of(0n, 1n).buffer)[0]!,
    0.001,
    1e-12,
  );
});
