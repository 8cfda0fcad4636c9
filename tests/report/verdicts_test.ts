import { assert, assertEquals, assertThrows } from "@std/assert";
import { readFloor, writeFloor } from "../../report/floor_file.ts";
import { measureFloor, rowClass } from "../../report/noise_floor.ts";
import { selftest, selftestText } from "../../report/selftest.ts";
import { simulateVerdicts } from "../../report/simulate_verdicts.ts";
import { MACHINES, QUIET_MACHINE, simulatedRun } from "../../report/simulated_runs.ts";
import { inFolder } from "../in_folder.ts";

// At the promised rate of 5 % of pairs chance alone has more than 10 of 100, or 6 of 50, about once in
// a hundred tries; `selftest --simulate` judges more.
for (const [way, pairs, most] of [["floor", 100, 10], ["no floor", 50, 6]] as const) {
  Deno.test(`noise is no change, on machines of every kind, judged with ${way}`, () => {
    for (const machine of [QUIET_MACHINE, ...MACHINES]) {
      const { false_rows, false_pairs } = simulateVerdicts(machine, { way, pairs });
      const about = `${machine.name}: ${JSON.stringify({ false_rows, false_pairs })}`;
      assertEquals([false_rows.trials, false_pairs.trials], [pairs * machine.rows, pairs]);
      assert(false_rows.share <= 0.015 && false_pairs.hits <= most, about);
    }
  });
}

Deno.test("eight pairs find a row of 20 that is 5 % slower, and invent nothing", () => {
  const way = "eight pairs";
  const { found, false_rows } = simulateVerdicts(QUIET_MACHINE, {
    way,
    pairs: 12,
    factors: [1.05],
  });
  assertEquals([found.hits, found.trials, false_rows.trials], [12, 12, 12 * 19]);
  assert(false_rows.hits <= 1);
  const clocks = MACHINES.find(({ name }) => name === "two clock states")!;
  assert(simulateVerdicts(clocks, { way, pairs: 12 }).false_pairs.hits <= 2);
});

Deno.test("a real change is found: one row of 20 by 5 %, half of them by 10 %, one schedule by half", () => {
  const found = (factors: readonly number[], more = {}) =>
    simulateVerdicts(QUIET_MACHINE, { way: "floor", pairs: 100, factors, ...more }).found;
  assert(found([1.05]).hits >= 84, JSON.stringify(found([1.05])));
  const half = Array.from({ length: 20 }, (_, i) => i % 2 === 0 ? 1.1 : 1);
  assert(found(half).share >= 0.99);
  const serving = { ...QUIET_MACHINE, rows: 1 };
  for (const way of ["floor", "no floor", "three runs a side"] as const) {
    const options = { way, pairs: 30, factors: [1.5], suite: "schedules" } as const;
    assertEquals(simulateVerdicts(serving, options).found.share, 1, way);
  }
});

Deno.test("a floor is kept for its machine, by class of row, and found again by runs of that machine only", () =>
  inFolder((folder) => {
    const runs = Array.from({ length: 6 }, (_, seed) => simulatedRun(QUIET_MACHINE, { seed }));
    const floor = measureFloor(runs);
    const { scatter_pct, rows } = floor.floors["kernels hot, 1 to 10 ms"]!;
    assertEquals([Object.keys(floor.floors).length, rows], [1, 20]);
    assert(scatter_pct > 0.7 && scatter_pct < 1.4, `${scatter_pct}`);
    assertEquals(readFloor(runs[0]!, folder), undefined);
    const path = writeFloor(floor, folder);
    assertEquals(readFloor(runs[0]!, folder), floor);
    const elsewhere = simulatedRun(QUIET_MACHINE, { seed: 1 });
    const rowsOf = elsewhere.suites[0]!.rows.map((row) => ({ ...row, adapter: "another" }));
    const other = { ...elsewhere, suites: [{ ...elsewhere.suites[0]!, rows: rowsOf }] };
    assertEquals(readFloor(other, folder), undefined);
    Deno.writeTextFileSync(path, '{"floors": {}}');
    assertThrows(() => readFloor(runs[0]!, folder), Error, "noise floor");
    const row = {
      transport: "workers",
      memory: "host",
      logical_ranks: "2",
      oversubscribed: "false",
    };
    assertEquals(rowClass("collectives", row, 99), "collectives workers host, under 100 us");
    assertEquals(rowClass("schedules", row, 99), "schedules, several ranks");
  }));

Deno.test("the self-test judges pairs by the floor of other runs, and finds what it injects", () => {
  const runs = Array.from({ length: 6 }, (_, seed) => simulatedRun(QUIET_MACHINE, { seed }));
  const { rates, false_alarms, floor } = selftest(runs, 3);
  assertEquals([false_alarms.rows.trials, false_alarms.pairs.trials], [60, 3]);
  const of = (slowdown: number, sides: string) =>
    rates.find((r) => r.slowdown_pct === slowdown && r.sides === sides)!;
  assertEquals([of(0, "interleaved").rows, of(0, "interleaved").called_slower], [120, 0]);
  assertEquals(of(1, "interleaved").called_slower, 0, "below the threshold");
  assert(of(5, "interleaved").called_slower >= 114);
  assertEquals(of(10, "one after another").called_slower, 60);
  assert(
    selftestText({ threshold_pct: 3, floor, false_alarms, rates }).includes("of unchanged rows"),
  );
  // Two runs that are off together would hide themselves in a floor of their own.
  const off = [simulatedRun(QUIET_MACHINE, { seed: 9, factors: [1.5] }), ...runs.slice(1)];
  assertEquals(selftest(off, 3).false_alarms.rows.hits, 1);
  assertThrows(() => selftest(runs.slice(0, 3), 3), RangeError, "4 are needed");
});
