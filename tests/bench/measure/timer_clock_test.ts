import { assertEquals } from "@std/assert";
import { type Sample, Timer, timeUs } from "../../../bench/measure/timer.ts";
import type { Device } from "../../../device/device.ts";
import type { Dispatch, Pass } from "../../../device/dispatch.ts";

/** What each call takes on the scripted clock, in ms. */
const TAKES = { run: 1000, finish: 200, encode: 3, submit: 4, readNow: 20, read: 50, yield: 7 };
const WORK = [{}] as unknown as readonly Dispatch[];
const EVICT = {} as Dispatch;

interface Scripted {
  readonly mode: "eager" | "awaited";
  /** Nanoseconds at the begin and the end of the pass; no clock where absent. */
  readonly ns?: readonly [bigint, bigint];
}

/** Takes a sample on a device whose calls take known times; gives it and the calls in their order. */
async function sampled({ mode, ns }: Scripted, sample: (timer: Timer) => Promise<Sample>) {
  const calls: string[] = [];
  const call = <T>(name: keyof typeof TAKES, result: T): T => {
    ms += TAKES[name];
    calls.push(name);
    return result;
  };
  let ms = 5;
  const bytes = new BigUint64Array(ns ?? []).buffer;
  const batch = {
    buffer: "timestamps",
    writes: (index: number) => `writes ${index}`,
    resolve: (encoder: unknown, count: number) => void calls.push(`${encoder} resolves ${count}`),
    [Symbol.dispose]: () => void calls.push("dispose"),
  };
  const device = {
    timestamps: (capacity: number) => {
      calls.push(`timestamps ${capacity}`);
      return ns ? batch : undefined;
    },
    run: (dispatches: readonly Dispatch[]) => call("run", assertEquals(dispatches, [EVICT])),
    finish: () => call("finish", Promise.resolve()),
    encode: (passes: readonly Pass[], last: (encoder: unknown) => void) => {
      assertEquals(passes, [{ dispatches: WORK, timestampWrites: ns && "writes 0" as never }]);
      last("encoder");
      return call("encode", "commands");
    },
    submit: (commands: readonly unknown[]) => call("submit", assertEquals(commands, ["commands"])),
    readBack: {
      mode,
      prime: (size: number) => Promise.resolve(void calls.push(`prime ${size}`)),
      readNow: (from_: unknown, size: unknown) => {
        assertEquals([from_, size], ["timestamps", { bytes: 16 }]);
        return call("readNow", bytes);
      },
      read: (from_: unknown, size: unknown) => {
        assertEquals([from_, size], ["timestamps", { bytes: 16 }]);
        return call("read", Promise.resolve(bytes));
      },
      yield: () => call("yield", Promise.resolve()),
    },
  };
  const { now } = performance;
  performance.now = () => ms;
  try {
    using timer = await new Timer(device as unknown as Device).ready();
    return { sample: await sample(timer), calls };
  } finally {
    performance.now = now;
  }
}

const OPENED = ["timestamps 1", "prime 16"];
const RECORDED = ["encoder resolves 1", "encode", "submit"];

Deno.test("a sample is timed from recording to its result, behind what was queued and what evicts caches", async () => {
  const eager = await sampled({ mode: "eager", ns: [7000n, 8500n] }, (t) => t.sample(WORK, EVICT));
  assertEquals(eager, {
    sample: { gpuUs: 1.5, hostUs: 27_000, submitUs: 7000 },
    calls: [...OPENED, "run", "finish", ...RECORDED, "readNow", "yield", "dispose"],
  });
  const awaited = await sampled({ mode: "awaited", ns: [0n, 2000n] }, (t) => t.sample(WORK));
  assertEquals(awaited, {
    sample: { gpuUs: 2, hostUs: 207_000, submitUs: 7000 },
    calls: [...OPENED, "finish", ...RECORDED, "finish", "read", "dispose"],
  });
});

Deno.test("a sample of an idle device waits for nothing before", async () => {
  const { calls } = await sampled({ mode: "eager", ns: [0n, 1n] }, (t) => t.sampleIdle(WORK));
  assertEquals(calls, [...OPENED, ...RECORDED, "readNow", "yield", "dispose"]);
});

Deno.test("without timestamps a sample ends when the device has finished", async () => {
  for (const mode of ["eager", "awaited"] as const) {
    const { sample, calls } = await sampled({ mode }, (t) => t.sample(WORK));
    assertEquals(sample, { gpuUs: undefined, hostUs: 207_000, submitUs: 7000 });
    assertEquals(calls, [...OPENED, "finish", "encode", "submit", "finish"]);
    assertEquals(timeUs(sample), 207_000);
  }
});

Deno.test("a clock that stood still or ran backwards gave no time", async () => {
  for (const mode of ["eager", "awaited"] as const) {
    for (const ns of [[5n, 5n], [5n, 4n]] as const) {
      const { sample } = await sampled({ mode, ns }, (t) => t.sample(WORK));
      assertEquals(sample.gpuUs, undefined);
    }
  }
});

Deno.test("a time is the adapter's where it has one, however short, else the host's", () => {
  assertEquals(timeUs({ gpuUs: 0.5, hostUs: 9, submitUs: 1 }), 0.5);
  assertEquals(timeUs({ gpuUs: undefined, hostUs: 9, submitUs: 1 }), 9);
});
