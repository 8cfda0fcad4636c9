import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  boundGbytesPerS,
  canaryPrograms,
  ceilingPct,
  ceilingUs,
  higherCeilings,
  measureCeilings,
} from "../../../bench/measure/ceilings.ts";
import type { Program } from "../../../device/program.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";
import { fakeDevice, fakeTimer } from "./fake_session.ts";

Deno.test.afterAll(closeSharedDevice);

/** An adapter of known speeds, in 1e9 a second: by width of workgroup, of what it is asked to do. */
interface Machine {
  readonly copy: (width: number, bytes: number) => number;
  readonly cached: (width: number, reads: boolean) => number;
  readonly flops: (width: number) => number;
}

/** The time of a program, in us, of what it must move and compute by its shader. */
function timeOn(machine: Machine, { constants, params, workgroups }: Program): number {
  const [width, reads] = [constants["WORKGROUP_SIZE"]!, constants["READS"] === 1];
  const [vec4s, rounds, each, passes = 0] = params;
  const invocations = width * workgroups[0];
  if (rounds! > 0) return invocations * rounds! * 64 / machine.flops(width) / 1e3;
  if (passes === 0) return 2 * 16 * vec4s! / machine.copy(width, 16 * vec4s!) / 1e3;
  const bytes = (reads ? 1 : 2) * passes * invocations * each! * 16;
  return bytes / machine.cached(width, reads) / 1e3;
}

async function measured(machine: Machine, most: number) {
  const log: string[] = [];
  // Of four samples the third is the adapter's own; interruptions make the others longer.
  const timer = fakeTimer((one, i) => timeOn(machine, one) * [1.5, 1.2, 1, 1.1][i]!, log);
  const ceilings = await measureCeilings(fakeDevice(most, log), timer);
  return { ceilings, log };
}

const MACHINE: Machine = {
  copy: (width, bytes) => bytes === 2 ** 20 ? 6 + width / 64 : 5,
  cached: (width, reads) => (reads ? 40 : 30) - width / 16,
  flops: (width) => 100 + width,
};

Deno.test("ceilings are the best of the sizes, widths and ways that were tried, at their best time", async () => {
  const { ceilings } = await measured(MACHINE, 2 ** 26);
  assertAlmostEquals(ceilings.copyGbytesPerS, 10, 1e-9);
  assertAlmostEquals(ceilings.cachedGbytesPerS, 39.5, 1e-9);
  assertAlmostEquals(ceilings.multiplyAddGflops, 356, 1e-9);
  const copies = await measured({ ...MACHINE, cached: (_, reads) => reads ? 3 : 9.5 }, 2 ** 26);
  assertAlmostEquals(copies.ceilings.cachedGbytesPerS, 10, 1e-9, "caches copy as fast as memory");
  const writes = await measured({ ...MACHINE, cached: (w, reads) => reads ? 3 : w }, 2 ** 26);
  assertAlmostEquals(writes.ceilings.cachedGbytesPerS, 256, 1e-9);
  const narrow = await measured(
    { ...MACHINE, flops: (w) => 300 - w, copy: (w) => 20 - w / 16 },
    1e9,
  );
  assertAlmostEquals(narrow.ceilings.multiplyAddGflops, 292, 1e-9);
  assertAlmostEquals(narrow.ceilings.copyGbytesPerS, 19.5, 1e-9);
  const slow = await measured({ copy: () => 0.1, cached: () => 0.2, flops: () => 0.3 }, 2 ** 18);
  const { copyGbytesPerS, cachedGbytesPerS, multiplyAddGflops } = slow.ceilings;
  assertAlmostEquals(copyGbytesPerS, 0.1, 1e-9);
  assertAlmostEquals(cachedGbytesPerS, 0.2, 1e-9);
  assertAlmostEquals(multiplyAddGflops, 0.3, 1e-9);
});

Deno.test("each ceiling's program is warmed up, timed four times and freed; sizes are those that can be bound", async () => {
  const cached = (width: number) => width === 8 ? 6 : 300;
  const { log } = await measured({ ...MACHINE, cached }, 2 ** 21);
  const programs = log.filter((line) => line.startsWith("warm up")).map((line) => line.slice(8));
  assertEquals(programs, [
    // Workgroup size and whether it only reads | vec4s, multiply-add rounds, vec4s each, passes | groups.
    "8 0 | 16384 0 64 | 32 1 1",
    "8 0 | 65536 0 64 | 128 1 1",
    "8 1 | 32768 0 64 16 | 64 1 1", // 1398 us: four times as many passes
    "8 1 | 32768 0 64 64 | 64 1 1",
    "8 0 | 32768 0 64 16 | 64 1 1", // 2796 us
    "8 0 | 0 20000 0 | 64 1 1",
    "256 0 | 16384 0 4 | 16 1 1",
    "256 0 | 65536 0 4 | 64 1 1",
    ...[16, 64, 256, 1024].map((passes) => `256 1 | 131072 0 2 ${passes} | 256 1 1`),
    ...[16, 64, 256].map((passes) => `256 0 | 131072 0 2 ${passes} | 256 1 1`),
    "256 0 | 0 500 0 | 512 1 1",
  ]);
  const each = programs.flatMap((program) => [
    "bind ceiling.from ceiling.to",
    `warm up ${program}`,
    ...new Array<string>(4).fill(`sample ${program}`),
    "free params",
  ]);
  assertEquals(log, [
    `allocate ceiling.from ${2 ** 21}`,
    `allocate ceiling.to ${2 ** 21}`,
    ...each,
    "free ceiling.to",
    "free ceiling.from",
  ]);
});

Deno.test("passes over cached memory are no more than 2^16, however fast they are", async () => {
  const { log } = await measured({ ...MACHINE, cached: () => 1e12 }, 2 ** 26);
  const passes = log.filter((line) => line.startsWith("warm up 8 1"))
    .map((line) => line.split(" | ")[1]!.split(" ")[3]);
  assertEquals(passes, ["16", "64", "256", "1024", "4096", "16384", "65536"]);
});

Deno.test("the canary's work is 20 000 rounds of multiply-adds and one copy", () => {
  const parts = canaryPrograms(2 ** 20)
    .map(({ constants, params, workgroups }) => ({ constants, params, workgroups }));
  const constants = { WORKGROUP_SIZE: 8, READS: 0 };
  assertEquals(parts, [
    { constants, params: [0, 20_000, 0], workgroups: [64, 1, 1] },
    { constants, params: [65_536, 0, 64], workgroups: [128, 1, 1] },
  ]);
});

const LOW = { copyGbytesPerS: 2, cachedGbytesPerS: 8, multiplyAddGflops: 10 };
const HIGH = { copyGbytesPerS: 3, cachedGbytesPerS: 9, multiplyAddGflops: 11 };

Deno.test("of two measurements of a ceiling the higher one counts", () => {
  assertEquals([higherCeilings(LOW, HIGH), higherCeilings(HIGH, LOW)], [HIGH, HIGH]);
});

Deno.test("work is bound by what is slower, computing or moving bytes, from memory or from caches", () => {
  assertEquals([boundGbytesPerS(LOW, "memory"), boundGbytesPerS(LOW, "caches")], [2, 8]);
  const cost = { flops: 10_000, bytesRead: 6000, bytesWritten: 10_000 };
  // 10 000 / 10e9 s = 1 us; 16 000 / 2e9 s = 8 us, from caches 2 us.
  assertEquals(ceilingUs(cost, LOW), 8);
  assertEquals(ceilingUs(cost, LOW, "caches"), 2);
  assertEquals(ceilingUs({ ...cost, flops: 120_000 }, LOW), 12);
  assertEquals(ceilingPct(cost, 16, LOW), 50);
  assertEquals(ceilingPct(cost, 16, LOW, "caches"), 12.5);
});

/** Runs the shader of the ceilings on 4096 vec4s that count from 1; gives what it wrote. */
async function ran(
  params: readonly number[],
  { width = 8, groups = 2, reads = 0 },
): Promise<Float32Array> {
  const device = await sharedDevice();
  const [program] = canaryPrograms(2 ** 12);
  using from_ = device.allocate({ label: "from", bytes: 2 ** 16 });
  using to = device.allocate({ label: "to", bytes: 2 ** 16 });
  device.upload(from_, Float32Array.from({ length: 2 ** 14 }, (_, i) => i + 1));
  const constants = { WORKGROUP_SIZE: width, READS: reads };
  const dispatch = device.bind({ ...program!, constants, params, workgroups: [groups, 1, 1] }, {
    from_,
    to,
  });
  device.run([dispatch]);
  const seen = new Float32Array(await device.download(to, 2 ** 16));
  dispatch.params?.destroy();
  return seen;
}

Deno.test("a ceiling's copy writes each vec4 that it should, and none behind them", async () => {
  for (const [width, groups] of [[8, 3], [64, 1]] as const) {
    const vec4s = width * groups * 4 - 5;
    const seen = await ran([vec4s, 0, 4], { width, groups });
    assertEquals(seen, Float32Array.from(seen, (_, i) => i < 4 * vec4s ? i + 1 : 0));
  }
});

Deno.test("cached passes copy, or sum, all that a workgroup stays within, a pass from one place further on", async () => {
  const [width, groups, each] = [8, 2, 8];
  const vec4s = width * groups * each;
  const copied = await ran([vec4s, 0, each, 3], { width, groups });
  assertEquals(copied, Float32Array.from(copied, (_, i) => i < 4 * vec4s ? i + 1 : 0));
  const sums = await ran([vec4s, 0, each, 3], { width, groups, reads: 1 });
  const expected = new Float32Array(sums.length);
  for (let group = 0; group < groups; group++) {
    for (let own = 0; own < width; own++) {
      const first = group * width * each + own;
      for (let part = 0; part < 4; part++) {
        const values = Array.from({ length: each }, (_, i) => 4 * (first + i * width) + part + 1);
        expected[4 * first + part] = 3 * values.reduce((sum, value) => sum + value, 0);
      }
    }
  }
  assertEquals(sums, expected);
});

Deno.test("multiply-adds are 8 of a vec4 a round, of which none can be left out", async () => {
  const seen = await ran([0, 2, 0], { groups: 2 });
  for (let id = 0; id < 16; id++) {
    const a = 0.999 + id % 2 * 1e-6;
    let values = [1, 1.1, 1.2, 1.3];
    for (let i = 0; i < 4; i++) values = values.map((v) => v * a + a);
    const sum = values.reduce((total, value) => total + value, 0);
    for (let part = 0; part < 4; part++) assertAlmostEquals(seen[4 * id + part]!, sum, 5e-6);
  }
  assert(seen.subarray(64).every((value) => value === 0));
});
