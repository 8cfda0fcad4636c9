import { assertEquals, assertThrows } from "@std/assert";
import type { DeviceError } from "../../device/device_error.ts";
import { ErrorWatch } from "../../device/error_watch.ts";
import { PipelineCache } from "../../device/pipeline_cache.ts";
import type { Program } from "../../device/program.ts";
import { onClock } from "./played_clock.ts";

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
