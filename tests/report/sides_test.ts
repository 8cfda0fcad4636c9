import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { LoadedRun, TextRow } from "../../records/run_folder/load_run.ts";
import { pairedEvidence, unpairedEvidence } from "../../report/evidence.ts";
import { classOf, logMedians, measureFloor, rowClass } from "../../report/noise_floor.ts";
import {
  filteredSides,
  type RowSide,
  rowSides,
  type RunTimes,
  sampleCount,
  sideUs,
} from "../../report/row_side.ts";
import {
  ComparisonError,
  identityDifferences,
  machineOf,
  refuseDifferent,
} from "../../report/run_differences.ts";

type Series = Readonly<Record<string, readonly number[]>>;

/** A run of rows `r0`, `r1`... with their series. */
function runOf(
  rows: readonly (readonly [TextRow, Series])[],
  suite: "kernels" | "schedules" = "kernels",
): LoadedRun {
  const list = rows.map(([row], i) => ({
    ...{ suite, row_key: `r${i}`, status: "ok", clock: "gpu" },
    ...row,
  }));
  return {
    path: "run",
    manifest: undefined,
    suites: [{ suite, path: `${suite}.csv`, headers: [], rows: list }],
    samples: new Map(rows.map(([, series], i) => [`r${i}`, { row_key: `r${i}`, series }])),
  };
}

/** What a run measured of its only row. */
function timesOf(row: TextRow, series: Series, suite?: "schedules"): RunTimes {
  return rowSides([runOf([[row, series]], suite)]).get("r0")!.runs[0]!;
}

Deno.test("a row's times are its samples by round, or the file's median with its interval", () => {
  const gpu_us = [10, 12, 11, 20, 22, 21];
  const measured = timesOf({}, { gpu_us, round: [0, 0, 0, 1, 1, 1] });
  assertEquals(measured.samples, gpu_us);
  assertEquals([measured.medianUs, measured.rounds, measured.knowsRounds], [16, [11, 21], true]);
  assertEquals(measured.logError > 0, true);
  const alone = timesOf({}, { gpu_us });
  assertEquals([alone.rounds, alone.knowsRounds], [gpu_us, false]);
  const other = timesOf({}, { gpu_us, round: [0, 1] });
  assertEquals([other.rounds, other.knowsRounds], [gpu_us, false], "rounds of other samples");
  const file = {
    time_us_median: "100",
    time_us_ci_low: "100",
    time_us_ci_high: "271.8281828459045",
  };
  const { logError, ...read } = timesOf(file, {});
  assertEquals(read, { samples: [], medianUs: 100, rounds: [], knowsRounds: false });
  assertAlmostEquals(logError, 1 / 3.92, 1e-12);
  assertEquals(timesOf({ ...file, time_us_ci_high: "" }, {}).medianUs, undefined);
  assertEquals(timesOf({ ...file, time_us_ci_high: "100" }, {}).medianUs, 100);
  assertEquals(timesOf({ ...file, time_us_median: "0" }, {}).medianUs, undefined);
  const { samples, medianUs } = timesOf(file, { gpu_us: [5, 0] });
  assertEquals([samples, medianUs], [[], undefined], "a sample that is no time");
});

Deno.test("of a schedule the whole serving is a sample, and a round, in ms", () => {
  const served = timesOf({}, { wall_ms: [2, 3, 4], round: [0, 0, 0] }, "schedules");
  assertEquals(
    [served.samples, served.medianUs, served.rounds, served.knowsRounds],
    [[2000, 3000, 4000], 3000, [2000, 3000, 4000], true],
  );
  const file = { wall_ms: "5", time_us_ci_low: "1", time_us_ci_high: "2" };
  const { samples, medianUs, knowsRounds } = timesOf(file, {}, "schedules");
  assertEquals([samples, medianUs, knowsRounds], [[], 5000, true]);
});

Deno.test("a side has its runs' times, the row that is not ok, and every warning once", () => {
  const run = (row: TextRow, us: number) => runOf([[{ op: "add", ...row }, { gpu_us: [us] }]]);
  const of = (...rows: readonly TextRow[]) =>
    rowSides(rows.map((row, i) => run(row, 10 + i))).get("r0")!;
  const side = of({ warning: "hot" }, { status: "wrong", warning: "old" }, { warning: "hot" });
  assertEquals([side.suite, side.label, side.row["status"]], ["kernels", "add", "wrong"]);
  assertEquals(side.runs.map(({ medianUs }) => medianUs), [10, 11, 12]);
  assertEquals(of({ warning: "hot" }, { warning: "hot" }, {}).warning, "hot");
  assertEquals(of({ warning: "hot" }, {}, { warning: "old" }).warning, "hot, old");
  assertEquals(of({}, {}).warning, "");
  assertEquals(of({ status: "failed" }, { status: "wrong" }).row["status"], "failed");
  const sides = new Map([["a", of({})], ["b", of({ op: "mul" })]]);
  assertEquals([...filteredSides(sides, /mul/).keys()], ["b"]);
  assertEquals([...filteredSides(sides, undefined).keys()], ["a", "b"]);
});

function times(medianUs: number | undefined, more: Partial<RunTimes> = {}): RunTimes {
  return { medianUs, samples: [], rounds: [], logError: 0, knowsRounds: false, ...more };
}

function sideOf(runs: readonly RunTimes[], row: TextRow = {}): RowSide {
  return { suite: "kernels", label: "", warning: "", row: { status: "ok", ...row }, runs };
}

Deno.test("a side's time is the geometric mean of its runs' medians, of all or of none", () => {
  assertEquals(sideUs([times(5)]), 5);
  assertAlmostEquals(sideUs([times(2), times(8)])!, 4, 1e-12);
  assertEquals(sideUs([times(2), times(undefined)]), undefined);
  assertEquals(sideUs([times(undefined)]), undefined);
  const count = (runs: readonly RunTimes[], row: TextRow = {}) => sampleCount({ row, runs });
  assertEquals(
    count([times(1, { samples: [1, 2] }), times(1, { samples: [3] })], { samples: "9" }),
    3,
  );
  assertEquals(count([times(1)], { samples: "9" }), 9);
  assertEquals(count([times(1)]), 0);
  const logs = logMedians(sideOf([times(1), times(Math.E)]));
  assertEquals(logs, [0, 1]);
});

Deno.test("rows that move alike are of one class: by mode, link or layout, and by time", () => {
  const kernel = (us: number) => rowClass("kernels", { mode: "cold" }, us);
  assertEquals([99.9, 100, 999, 1000, 9999, 10_000, 1e9].map(kernel), [
    "kernels cold, under 100 us",
    "kernels cold, 100 us to 1 ms",
    "kernels cold, 100 us to 1 ms",
    "kernels cold, 1 to 10 ms",
    "kernels cold, 1 to 10 ms",
    "kernels cold, 10 ms and more",
    "kernels cold, 10 ms and more",
  ]);
  assertEquals(
    rowClass("collectives", { transport: "mpi", memory: "gpu" }, 5000),
    "collectives mpi gpu, 1 to 10 ms",
  );
  const schedule = (logical_ranks: string, oversubscribed = "false") =>
    rowClass("schedules", { logical_ranks, oversubscribed }, 1);
  assertEquals(schedule("1"), "schedules, one rank");
  assertEquals(schedule("2"), "schedules, several ranks");
  assertEquals(schedule("4", "true"), "schedules, more ranks than cores");
  assertEquals(classOf(sideOf([times(undefined)])), undefined);
  assertEquals(classOf(sideOf([times(50)], { mode: "hot" })), "kernels hot, under 100 us");
});

Deno.test("a floor is of rows that all runs have and that are ok", () => {
  const row = (us: number, status = "ok") => [{ mode: "hot", status }, { gpu_us: [us] }] as const;
  const far = 10 * Math.exp(0.1);
  const floor = measureFloor([
    runOf([row(10), row(20), row(30, "wrong"), row(40)]),
    runOf([row(far), row(20), row(30)]),
  ]);
  const { scatter_pct, degrees, rows, runs } = floor.floors["kernels hot, under 100 us"]!;
  assertEquals([Object.keys(floor.floors).length, rows, runs], [1, 2, 2]);
  // Rows that move by 0.1 and by 0: all of the variance, 0.0025, is their own.
  assertAlmostEquals(scatter_pct, 100 * Math.sqrt(2 * 0.0025), 1e-9);
  assertAlmostEquals(degrees, 1, 1e-9);
  assertEquals(floor.machine, {
    ...{ adapter: "", cpu_model: "unknown", logical_cores: "unknown", deno_version: "unknown" },
  });
});

Deno.test("runs differ by what their rows and manifests say, in words", () => {
  const run = (row: TextRow, environment: Readonly<Record<string, unknown>> = {}) => ({
    ...runOf([[row, {}], [{ ...row, adapter: "" }, {}]]),
    manifest: { environment } as unknown as LoadedRun["manifest"],
  });
  const a = run({ adapter: "x", dtype: "float32", schema_version: "1" }, { logical_cores: 2 });
  const b = run({ adapter: "y", dtype: "float16", schema_version: "1" }, { logical_cores: 4 });
  assertEquals([...identityDifferences(a, b)], [
    ["adapter", 'adapter "x" against "y"'],
    ["dtype", 'dtype "float32" against "float16"'],
    ["cores", 'logical_cores "2" against "4"'],
  ]);
  const error = assertThrows(() => refuseDifferent([a, a, b], ["dtype"]), ComparisonError);
  assertEquals(
    error.message,
    'Cannot compare: adapter "x" against "y"; logical_cores "2" against "4"',
  );
  refuseDifferent([a, b], ["dtype", "adapter", "cores"]);
  assertEquals(machineOf(a), {
    ...{ adapter: "x", cpu_model: "unknown", logical_cores: "2", deno_version: "unknown" },
  });
  const two = runOf([[{ adapter: "z" }, {}], [{ adapter: "a" }, {}]]);
  assertEquals(machineOf(two)["adapter"], "a, z");
});

const SCATTER = { variance: 0.01, degrees: Infinity, source: "machine's floor" } as const;

Deno.test("evidence of two sides weighs what is between runs, or within them where that is more", () => {
  const a = sideOf([times(100, { rounds: [99, 100, 101, 102], logError: 0.01 })]);
  const b = sideOf([
    ...[times(200, { rounds: [200, 201], logError: 0.01 }), times(200, { rounds: [202, 203] })],
  ]);
  const found = unpairedEvidence(a, b, SCATTER)!;
  assertAlmostEquals(found.ratio, 2, 1e-12);
  assertEquals(found.times.map((us) => us.toFixed(6)), ["100.000000", "200.000000"]);
  // Variance 0.01 (1 + 1/2) of a normal: 1.96 standard deviations either side.
  const reach = 1.959964 * Math.sqrt(0.015);
  assertAlmostEquals(found.interval[0], 2 * Math.exp(-reach), 1e-4);
  assertAlmostEquals(found.interval[1], 2 * Math.exp(reach), 1e-4);
  assertEquals(found.p < 1e-7, true);
  // All of 4 below all of 4: 2 of 70 orders.
  assertAlmostEquals(found.exactP!, 2 / 70, 1e-3);
  assertAlmostEquals(found.leastExactP, 2 / 70, 1e-3);
  assertAlmostEquals(found.scatterPct, 100 * Math.sqrt(0.02), 1e-9);
  assertEquals(found.source, "machine's floor");
  const noisy = unpairedEvidence(
    sideOf([times(100, { rounds: [1, 2], logError: 0.3 })]),
    sideOf([times(200, { rounds: [1, 2], logError: 0.4 })]),
    SCATTER,
  )!;
  // Within: 0.5 of error, Student's t of 2 degrees.
  assertAlmostEquals(Math.log(noisy.interval[1] / 2), 4.302653 * 0.5, 1e-4);
  const own = unpairedEvidence(a, b, { ...SCATTER, source: "these runs" })!;
  assertEquals([own.exactP, own.leastExactP], [null, 0]);
  const unranked = unpairedEvidence(sideOf([times(1)]), b, SCATTER)!;
  assertEquals([unranked.exactP, unranked.leastExactP], [null, 0]);
  for (
    const [x, y] of [[sideOf([times(undefined)]), b], [a, sideOf([times(5)], { status: "wrong" })]]
  ) {
    assertEquals(unpairedEvidence(x!, y!, SCATTER), undefined);
    assertEquals(unpairedEvidence(y!, x!, SCATTER), undefined);
  }
});

Deno.test("without any scatter a ratio is certain, one of 1 is none", () => {
  const still = { variance: 0, degrees: Infinity, source: "one run" } as const;
  const of = (us: number) => unpairedEvidence(sideOf([times(100)]), sideOf([times(us)]), still)!;
  assertEquals([of(100).p, of(100).interval], [1, [1, 1]]);
  assertEquals(of(200).p, 0);
  assertAlmostEquals(of(200).interval[0], 2, 1e-12);
});

Deno.test("evidence of pairs is their ratios' mean and scatter; one pair shows no scatter", () => {
  const medians = (list: readonly number[]) => sideOf(list.map((us) => times(us)));
  const found = pairedEvidence(
    medians([100, 100, 100]),
    medians([100, 100 * Math.exp(0.1), 100 * Math.exp(0.2)]),
  )!;
  assertAlmostEquals(found.ratio, Math.exp(0.1), 1e-12);
  assertAlmostEquals(found.scatterPct, 10, 1e-9);
  // Student's t of 2 degrees, 0.1 / sqrt(3) of error.
  assertAlmostEquals(Math.log(found.interval[1]) - 0.1, 4.302653 * 0.1 / Math.sqrt(3), 1e-5);
  assertEquals(found.source, "pairs");
  assertAlmostEquals(found.leastExactP, 2 / 8, 1e-12);
  const one = pairedEvidence(medians([100]), medians([110]))!;
  assertEquals([one.p, one.scatterPct, one.leastExactP], [1, Infinity, 1]);
  assertEquals(pairedEvidence(medians([100, 100]), medians([100])), undefined);
  assertEquals(pairedEvidence(medians([100]), sideOf([times(undefined)])), undefined);
});
