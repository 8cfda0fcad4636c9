import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { DeviceError } from "../../device/device_error.ts";
import { ErrorWatch } from "../../device/error_watch.ts";
import { PipelineCache } from "../../device/pipeline_cache.ts";
import type { Program } from "../../device/program.ts";
import { ReadBack } from "../../device/read_back.ts";
import { TimestampBatch } from "../../device/timestamps.ts";

/** Runs with a clock that only the test moves. */
async function onClock<T>(run: (clock: { ms: number }) => T | Promise<T>): Promise<T> {
  const { now } = performance;
  const clock = { ms: 1000 };
  performance.now = () => clock.ms;
  try {
    return await run(clock);
  } finally {
    performance.now = now;
  }
}

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

/** A device whose errors and loss are played. */
function faultyGpu() {
  let onError: ((event: unknown) => void) | undefined;
  const lost = Promise.withResolvers<{ readonly message: string }>();
  const scopes: string[] = [];
  const popped: (Promise<GPUError | null>)[] = [];
  const gpu = {
    addEventListener: (kind: string, listener: (event: unknown) => void) => {
      assertEquals(kind, "uncapturederror");
      onError = listener;
    },
    lost: lost.promise,
    pushErrorScope: (filter: string) => void scopes.push(filter),
    popErrorScope: () => {
      scopes.pop();
      return popped.shift() ?? Promise.resolve(null);
    },
  };
  return {
    gpu: gpu as unknown as GPUDevice,
    scopes,
    popped,
    uncaptured: (error: object) => {
      let prevented = 0;
      onError!({ error, preventDefault: () => prevented++ });
      return prevented;
    },
    lose: async (message: string) => {
      lost.resolve({ message });
      await lost.promise;
      await Promise.resolve();
    },
  };
}

const kindOf = (watch: ErrorWatch) => {
  try {
    watch.check();
    return "none";
  } catch (error) {
    return `${(error as DeviceError).kind}: ${(error as Error).message}`;
  }
};

Deno.test("an error that nobody captured is kept and not printed; the first one wins", () => {
  const device = faultyGpu();
  const watch = new ErrorWatch(device.gpu);
  assertEquals(kindOf(watch), "none");
  assertEquals(device.uncaptured({ message: "odd" }), 1);
  device.uncaptured({ message: "later" });
  assertEquals(kindOf(watch), "Internal: Cannot finish uncaptured: odd");
});

Deno.test("a loss is an error, unless the device is being closed", async () => {
  const device = faultyGpu();
  const watch = new ErrorWatch(device.gpu);
  await device.lose("unplugged");
  assertEquals(kindOf(watch), "DeviceLost: Cannot go on with the device: it was lost (unplugged)");
  const closed = faultyGpu();
  const closing = new ErrorWatch(closed.gpu);
  closing.close();
  await closed.lose("destroyed");
  assertEquals(kindOf(closing), "none");
});

Deno.test("guarded work stands in a scope of each kind, whose errors surface when they have settled", async () => {
  const device = faultyGpu();
  const watch = new ErrorWatch(device.gpu);
  const seen = watch.guard("work", () => [...device.scopes]);
  assertEquals(seen, ["validation", "out-of-memory", "internal"]);
  assertEquals(device.scopes, []);
  await watch.settle();
  const late = Promise.withResolvers<GPUError | null>();
  device.popped.push(Promise.resolve(null), late.promise);
  assertThrows(
    () =>
      watch.guard("a bug", () => {
        throw new TypeError("ours");
      }),
    TypeError,
  );
  assertEquals(device.scopes, []);
  watch.check();
  late.resolve({ message: "too much" } as GPUError);
  const found = await watch.settle().catch((error) => error);
  assertEquals(found.message, "Cannot finish a bug: too much");
  const gone = faultyGpu();
  const other = new ErrorWatch(gone.gpu);
  gone.popped.push(Promise.reject(new Error("gone")));
  other.guard("work", () => {});
  const lost = await other.settle().catch((error) => error);
  assertEquals([lost.kind, lost.message], ["DeviceLost", "Cannot finish work: Error: gone"]);
  const ending = faultyGpu();
  const last = new ErrorWatch(ending.gpu);
  ending.popped.push(Promise.reject(new Error("gone")));
  last.close();
  last.guard("work", () => {});
  await last.settle();
});

const PROGRAM: Program = {
  name: "test/one",
  wgsl: [{ file: "one.wgsl", text: "first\n  second" }],
  bindings: [
    { name: "a", access: "read" },
    { name: "b", access: "read_write" },
    { name: "params", access: "uniform" },
  ],
  constants: { K: 3 },
  params: [],
  workgroups: [1, 1, 1],
};

/** A device that notes what is compiled; modules take 2 ms, pipelines 30. */
function compilingGpu(clock: { ms: number }, messages: readonly Partial<GPUCompilationMessage>[]) {
  const log: unknown[] = [];
  const gpu = {
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(null),
    createShaderModule: (module: unknown) => {
      clock.ms += 2;
      log.push(module);
      return { getCompilationInfo: () => Promise.resolve({ messages }) };
    },
    createBindGroupLayout: ({ entries }: { readonly entries: readonly unknown[] }) => entries,
    createPipelineLayout: ({ bindGroupLayouts }: { readonly bindGroupLayouts: unknown }) =>
      bindGroupLayouts,
    createComputePipeline: ({ layout, compute }: { layout: unknown; compute: object }) => {
      clock.ms += 30;
      log.push(layout, { ...compute, module: undefined });
      return { pipeline: log.length };
    },
  };
  const watch = { guard: (_: string, run: () => unknown) => run() } as unknown as ErrorWatch;
  return { cache: new PipelineCache(gpu as unknown as GPUDevice, watch), log };
}

Deno.test("a pipeline is made once, of its shader, bindings and constants, and its time is counted", () =>
  onClock(async (clock) => {
    for (const way of ["get", "compile"] as const) {
      const { cache, log } = compilingGpu(clock, [{ type: "warning", message: "hm" }]);
      assertEquals([cache.createMs(PROGRAM), cache.compileMs, cache.size], [0, 0, 0]);
      const first = await cache[way](PROGRAM);
      assertEquals([await cache.get(PROGRAM), await cache.compile(PROGRAM)], [first, first]);
      assertEquals(log, [
        { label: "test/one", code: "first\n  second" },
        [["read-only-storage", "storage", "uniform"].map((type, binding) => ({
          ...{ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } },
        }))],
        { module: undefined, entryPoint: "main", constants: { K: 3 } },
      ]);
      await cache[way]({ ...PROGRAM, name: "test/two", constants: { K: 4 } });
      assertEquals([cache.createMs(PROGRAM), cache.compileMs, cache.size], [32, 64, 2]);
      assertEquals(cache.shaders().map(([name]) => name), ["test/one", "test/two"]);
    }
  }));

Deno.test("a shader's error has its file, line, text and a caret below its column", () =>
  onClock(async (clock) => {
    for (const [linePos, caret] of [[4, "   ^"], [1, "^"], [0, "^"]] as const) {
      const message = { type: "error", lineNum: 2, linePos, message: "  odd \nmore" } as const;
      const { cache } = compilingGpu(clock, [{ type: "info" }, message]);
      const error = await cache.compile(PROGRAM).catch((error) => error);
      const place = `one.wgsl:2:${linePos}`;
      const words = `Cannot compile "test/one": ${place}: odd \n    second\n  ${caret}`;
      assertEquals([error.kind, error.message], ["ShaderCompilation", words]);
      assertEquals([cache.size, cache.compileMs], [0, 0]);
    }
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
