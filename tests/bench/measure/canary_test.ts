import { assertEquals } from "@std/assert";
import { Canary } from "../../../bench/measure/canary.ts";
import type { Program } from "../../../device/program.ts";
import { canaryPct } from "../../../records/rows/canary_pct.ts";
import { fakeDevice, fakeTimer } from "./fake_session.ts";

/** The times of the canary's programs, in us, by reading; a reading's five samples are around them. */
function scripted(multiplyAddUs: readonly number[], copyUs: readonly number[]) {
  const taken = { multiplyAdd: 0, copy: 0 };
  return (program: Program) => {
    const [work, times] = program.params[1]! > 0
      ? ["multiplyAdd", multiplyAddUs] as const
      : ["copy", copyUs] as const;
    const sample = taken[work]++;
    const typical = times[Math.floor(sample / 5)]!;
    return [typical * 9, typical + 1, typical, typical - 2, typical / 9][sample % 5]!;
  };
}

Deno.test("a canary's reading is the median of five samples; three first ones do not count, three at the start do", async () => {
  const log: string[] = [];
  const timer = fakeTimer(
    scripted([900, 900, 900, 10, 14, 11, 12, 20, 13], [900, 900, 900, 50, 40, 60, 70, 80, 65]),
    log,
  );
  using canary = new Canary(fakeDevice(2 ** 30, log), timer);
  await canary.start();
  assertEquals(canary.readingsUs, [[10, 50], [14, 40], [11, 60]]);
  assertEquals(log.filter((line) => line.startsWith("sample")).length, 6 * 2 * 5);
  assertEquals(canary.medianUs, 11 + 50);
  // The middle of the last three beside the middle of the first three.
  const start = { canary_start_multiply_add_us: 11, canary_start_copy_us: 50 };
  assertEquals(await canary.read(), { ...start, canary_multiply_add_us: 12, canary_copy_us: 60 });
  assertEquals(await canary.read(), { ...start, canary_multiply_add_us: 12, canary_copy_us: 70 });
  assertEquals(await canary.read(), { ...start, canary_multiply_add_us: 13, canary_copy_us: 70 });
  assertEquals(canary.medianUs, 12.5 + 62.5);
});

Deno.test("a canary copies 16 MiB, or what can be bound, and frees what it took", () => {
  for (const [most, bytes] of [[2 ** 30, 2 ** 24], [2 ** 20, 2 ** 20]] as const) {
    const log: string[] = [];
    new Canary(fakeDevice(most, log), fakeTimer(() => 1))[Symbol.dispose]();
    assertEquals(log, [
      `allocate canary.from ${bytes}`,
      `allocate canary.to ${bytes}`,
      "bind canary.from canary.to",
      "bind canary.from canary.to",
      "free params",
      "free params",
      "free canary.from",
      "free canary.to",
    ]);
  }
});

Deno.test("the machine's change is that of the work that changed more, in percent of the start", () => {
  const facts = { canary_start_multiply_add_us: 10, canary_start_copy_us: 100 };
  const pct = (multiplyAdd: number, copy: number) =>
    Math.round(
      canaryPct({ ...facts, canary_multiply_add_us: multiplyAdd, canary_copy_us: copy }),
    );
  assertEquals([pct(12, 110), pct(9, 130), pct(5, 110), pct(10, 70)], [20, 30, -50, -30]);
});
