import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { generator } from "../../statistics/counter_generator.ts";
import { compareRuns } from "../../report/compare_runs.ts";
import { compareBy } from "../../report/compare_by.ts";
import { comparePairs } from "../../report/compare_pairs.ts";
import { comparisonCsv } from "../../report/compare_csv.ts";
import type { NoiseFloor } from "../../report/noise_floor.ts";
import { ComparisonError, identityDifferences } from "../../report/run_differences.ts";
import { comparisonMarkdown, comparisonText } from "../../report/compare_text.ts";
import type { LoadedRun, TextRow } from "../../records/run_folder/load_run.ts";

interface Made {
  readonly name: string;
  /** Times of each row in us; a row's key is its place. */
  readonly times: readonly (readonly number[])[];
  readonly change?: (row: Record<string, string>, place: number) => Record<string, string>;
  readonly canaryUs?: number;
}

/** A floor of all classes of kernels. */
function floorOf(scatter_pct: number): NoiseFloor {
  const times = ["under 100 us", "100 us to 1 ms", "1 to 10 ms"].map((time) =>
    `kernels hot, ${time}`
  );
  const one = { scatter_pct, degrees: 100, rows: 20, runs: 6 };
  return { machine: {}, floors: Object.fromEntries(times.map((name) => [name, one])) };
}
const QUIET = { floor: floorOf(0.5) };

/** A run in memory. */
function made({ name, times, change = (row) => row, canaryUs = 100 }: Made): LoadedRun {
  const rows: TextRow[] = times.map((_, i) =>
    change({
      suite: "kernels",
      schema_version: "1",
      run_id: name,
      row_key: `key${i}`,
      status: "ok",
      adapter: "an adapter",
      dtype: "float32",
      op: "gemm",
      variant: `v${i}`,
      mode: "hot",
      tensor_parallel_size: "1",
      tokens: "1",
      context: "256",
      clock: "gpu",
      noise_pct: "0.5",
    }, i)
  );
  return {
    path: name,
    manifest: {
      schema_version: 1,
      run_id: name,
      started_at: "",
      configuration: {},
      configuration_hash: "",
      canary_us: canaryUs,
    },
    suites: [{ suite: "kernels", path: `${name}.csv`, headers: [], rows }],
    samples: new Map(
      times.map((gpu_us, i) => [`key${i}`, { row_key: `key${i}`, series: { gpu_us } }]),
    ),
  };
}

/** Noisy times around a center, the same for the same seed. */
function around(center: number, seed: number, { n = 60, noise = 0.01 } = {}): readonly number[] {
  const random = generator("times", seed);
  return Array.from({ length: n }, () => center * (1 + noise * (random() + random() - 1)));
}

const CENTERS = [100, 200, 400, 800, 1600, 3200, 50, 70, 90, 110];
const BASE = made({ name: "base", times: CENTERS.map((c, i) => around(c, i)) });

Deno.test("unchanged rows are the same, a slower and a faster one are called so", () => {
  const candidate = made({
    name: "candidate",
    times: CENTERS.map((c, i) => around(i === 2 ? c * 1.06 : i === 4 ? c / 1.1 : c, i + 50)),
  });
  const { rows, without_floor } = compareRuns(BASE, candidate, 3, QUIET);
  const verdicts = rows.map(({ verdict }) => verdict);
  assertEquals(verdicts[2], "slower");
  assertEquals(verdicts[4], "faster");
  assertEquals(verdicts.filter((verdict) => verdict === "same").length, 8);
  assertEquals(rows.map((row) => row.is_regression).filter((is) => is).length, 1);
  assert(rows[2]!.ratio_low! > 1.04 && rows[2]!.ratio_high! < 1.08 && rows[2]!.p! < 0.001);
  assertEquals([rows[2]!.scatter_from, without_floor], ["machine's floor", 0]);
});

Deno.test("without a floor of the machine a change counts beyond a careful default, and that is said", () => {
  const slower = (factor: number) =>
    compareRuns(
      BASE,
      made({ name: "c", times: CENTERS.map((c, i) => around(c * factor, i + 50)) }),
      3,
    );
  const [small, large] = [slower(1.06), slower(1.5)];
  assert(small.rows.every(({ verdict }) => verdict === "ambiguous"), small.rows[0]!.reason);
  assert(small.rows[0]!.reason.includes("two runs are 5.0 % apart (default floor)"));
  assert(large.rows.every(({ is_regression }) => is_regression));
  assertEquals(small.without_floor, CENTERS.length);
  assert(
    comparisonText(small).includes("No floor for this machine of 10 of 10 rows: run selftest"),
  );
});

Deno.test("a run against itself is 1 everywhere; exchanging the runs inverts every ratio", () => {
  assert(compareRuns(BASE, BASE, 3).rows.every((r) => r.ratio === 1 && r.verdict === "same"));
  const other = made({
    name: "other",
    times: CENTERS.map((c, i) => around(c * (1 + i / 50), i + 9)),
  });
  const [there, back] = [compareRuns(BASE, other, 3, QUIET), compareRuns(other, BASE, 3, QUIET)];
  for (const [i, row] of there.rows.entries()) {
    const reverse = back.rows[i]!;
    assertAlmostEquals(row.ratio! * reverse.ratio!, 1, 1e-12);
    assertAlmostEquals(row.ratio_low! * reverse.ratio_high!, 1, 1e-12);
    assertAlmostEquals(row.p!, reverse.p!, 1e-12);
    const opposite = { slower: "faster", faster: "slower" } as Record<string, string>;
    assertEquals(reverse.verdict, opposite[row.verdict] ?? row.verdict);
  }
  assertAlmostEquals(there.geometric_mean! * back.geometric_mean!, 1, 1e-12);
});

Deno.test("rows that are not right are no data; one that went wrong is a regression", () => {
  const candidate = made({
    name: "candidate",
    times: CENTERS.map((c, i) => around(c, i + 50)),
    change: (row, i) =>
      i === 0
        ? { ...row, status: "wrong", reason: "3 elements" }
        : i === 1
        ? { ...row, status: "skipped" }
        : row,
  });
  const { rows } = compareRuns(BASE, candidate, 3);
  assertEquals([rows[0]!.verdict, rows[0]!.reason, rows[0]!.is_regression], [
    "no data",
    "the candidate is wrong: 3 elements",
    true,
  ]);
  assertEquals([rows[1]!.verdict, rows[1]!.is_regression], ["no data", false]);
});

Deno.test("what makes rows less good stands beside the verdict, of both runs", () => {
  const warned = (name: string, warning: string) =>
    made({ name, times: [around(100, 1)], change: (row) => ({ ...row, warning }) });
  const [row] = compareRuns(warned("a", "noise 12 %"), warned("b", "3 repetitions"), 3).rows;
  assertEquals(row!.warning, "baseline: noise 12 %; candidate: 3 repetitions");
  assertEquals(compareRuns(BASE, BASE, 3).rows[0]!.warning, "");
});

Deno.test("what the machine itself explains, or what moves between runs, is ambiguous", () => {
  const slow = CENTERS.map((c, i) => around(c * 1.2, i + 50));
  const machine = compareRuns(BASE, made({ name: "m", times: slow, canaryUs: 121 }), 3, QUIET);
  assert(machine.rows.every(({ verdict }) => verdict === "ambiguous"), machine.rows[0]!.reason);
  const code = compareRuns(BASE, made({ name: "c", times: slow, canaryUs: 100 }), 3, QUIET);
  assert(code.rows.every(({ verdict }) => verdict === "slower"));
  const drifting = CENTERS.map((c, i) => around(c * (1 + 0.1 * Math.cos(3 * i)), i + 50));
  const unsteady = { floor: floorOf(7) };
  const { rows } = compareRuns(BASE, made({ name: "s", times: drifting }), 3, unsteady);
  assert(rows.every(({ verdict }) => verdict === "ambiguous" || verdict === "same"));
});

Deno.test("a round is one piece of evidence: samples that share it are not many", () => {
  const rounds = (levels: readonly number[]) =>
    levels.flatMap((level, i) => around(level, i, { n: 20 }));
  const round = Array.from({ length: 4 * 20 }, (_, i) => Math.floor(i / 20));
  const withRounds = (run: LoadedRun): LoadedRun => ({
    ...run,
    samples: new Map([...run.samples].map(([key, { row_key, series }]) => [key, {
      row_key,
      series: { ...series, round },
    }])),
  });
  const a = made({ name: "a", times: [rounds([100, 101, 102, 100])] });
  const b = made({ name: "b", times: [rounds([110, 111, 112, 110])] });
  assertEquals(compareRuns(a, b, 3, QUIET).rows[0]!.verdict, "slower", "80 samples of their own");
  const row = compareRuns(withRounds(a), withRounds(b), 3, QUIET).rows[0]!;
  assertEquals([row.verdict, row.rounds, row.samples], ["too few", [4, 4], [80, 80]]);
});

Deno.test("a row that is noisier than its class, or whose rounds overlap, is judged by itself", () => {
  const noisy = (name: string, center: number, seed: number) =>
    made({ name, times: [around(center, seed, { noise: 0.5 })] });
  const { ratio_low, ratio_high } = compareRuns(noisy("a", 100, 1), noisy("b", 110, 2), 3, QUIET)
    .rows[0]!;
  assert(ratio_high! / ratio_low! > 1.15, `${ratio_low} ${ratio_high}`);
  const twoStates = (name: string, slow: number) =>
    made({ name, times: [around(100, 3).map((us, i) => i * 7 % 60 < slow ? 1.1 * us : us)] });
  const { verdict, reason, p_rounds } = compareRuns(
    twoStates("a", 28),
    twoStates("b", 32),
    3,
    QUIET,
  ).rows[0]!;
  assertEquals(verdict, "ambiguous");
  assert(reason.includes("its rounds overlap: p 0.") && p_rounds! > 0.01, reason);
});

Deno.test("a row alone is called by a stricter chance than false discoveries among many", () => {
  const one = (name: string, center: number) => made({ name, times: [around(center, 5)] });
  const floor = { floor: floorOf(2) };
  const row = compareRuns(one("a", 100), one("b", 105), 3, floor).rows[0]!;
  assert(row.p! > 0.01 && row.p! < 0.03, `${row.p}`);
  assertEquals(row.verdict, "ambiguous");
});

Deno.test("a row that failed in one of several runs is not right any more", () => {
  const failed = made({
    name: "f",
    times: CENTERS.map((c, i) => around(c, i)),
    change: (row, i) => i === 4 ? { ...row, status: "failed", reason: "a rank's fault" } : row,
  });
  const { rows } = compareRuns([BASE, BASE], [BASE, failed], 3, QUIET);
  assertEquals(rows.map(({ is_regression }) => is_regression), CENTERS.map((_, i) => i === 4));
  assertEquals(rows[4]!.reason, "the candidate is failed: a rank's fault");
});

Deno.test("of three runs a side their own scatter decides, whatever rounds and floors say", () => {
  const side = (factors: readonly number[], seed: number) =>
    factors.map((factor, i) =>
      made({
        name: `r${seed + i}`,
        times: CENTERS.map((c, row) =>
          around(c * (row === 1 ? 1.05 * factor : factor), seed + i + 10 * row)
        ),
      })
    );
  const base = [1, 1.004, 0.996].map((f, i) =>
    made({ name: `b${i}`, times: CENTERS.map((c, row) => around(c * f, i + 10 * row)) })
  );
  const quiet = compareRuns(base, side([0.997, 1, 1.003], 500), 3);
  assertEquals(
    quiet.rows.map(({ verdict }) => verdict === "slower"),
    CENTERS.map((_, i) => i === 1),
  );
  const { runs, scatter_from, samples } = quiet.rows[1]!;
  assertEquals([runs, scatter_from, samples], [[3, 3], "these runs", [180, 180]]);
  const moving = compareRuns(base, side([0.9, 1, 1.12], 500), 3);
  assert(moving.rows.every(({ is_regression }) => !is_regression));
  const lacking = [base[0]!, base[1]!, made({ name: "short", times: [around(100, 1)] })];
  assertEquals(compareRuns(base, lacking, 3).incomplete, [
    "9 rows of the candidate are not in all of its 3 runs",
  ]);
});

Deno.test("a few samples far apart count, near ones are too few, and no gate passes on them", () => {
  const against = (times: readonly number[]) =>
    compareRuns(
      made({ name: "a", times: [[100, 101, 102]] }),
      made({ name: "b", times: [times] }),
      3,
    );
  assertEquals(against([1000, 1010, 1020]).rows[0]!.verdict, "slower");
  assertEquals(against([10, 10.1, 10.2]).rows[0]!.verdict, "faster");
  const near = against([110, 111, 112]);
  assertEquals(near.rows[0]!.verdict, "too few");
  assertEquals(near.incomplete, ["1 rows changed, but have too few rounds to say so for certain"]);
  assertEquals(against([100, 101, 102]).incomplete, []);
  const machine = compareRuns(
    made({ name: "a", times: [[100, 101, 102]] }),
    made({ name: "b", times: [[150, 151, 152]], canaryUs: 150 }),
    3,
  );
  assertEquals(machine.rows[0]!.verdict, "too few", "the machine took as much longer");
});

Deno.test("a regression of half the rows is called: their own scatter hides it no longer", () => {
  const half = CENTERS.map((c, i) => around(i % 2 === 0 ? 1.5 * c : c, i + 50));
  const { rows } = compareRuns(BASE, made({ name: "half", times: half }), 3);
  assertEquals(rows.map(({ is_regression }) => is_regression), CENTERS.map((_, i) => i % 2 === 0));
});

Deno.test("rows that are missing, lost or doubled, and times of zero, keep a gate from passing", () => {
  const problems = (times: readonly (readonly number[])[], change?: Made["change"]) =>
    compareRuns(BASE, made({ name: "c", times, ...(change && { change }) }), 3).incomplete;
  const same = CENTERS.map((c, i) => around(c, i + 50));
  assertEquals(problems(same), []);
  assertEquals(problems(same.slice(2)), ["2 rows of the baseline are missing"]);
  assertEquals(problems(same, (row, i) => i > 6 ? { ...row, status: "skipped" } : row), [
    "3 rows that were ok have no time any more",
  ]);
  for (const odd of [0, -5]) {
    assertEquals(problems(same.map((times, i) => i === 1 ? [odd, ...times] : times)), [
      "1 rows that were ok have no time any more",
    ]);
  }
  assertEquals(problems(same, (row, i) => i === 1 ? { ...row, row_key: "key0" } : row), [
    "1 rows of c repeat another row's key",
    "1 rows of the baseline are missing",
  ]);
});

Deno.test("another processor, number of cores or Deno is another machine", () => {
  const on = (environment: Record<string, unknown>): LoadedRun => ({
    ...BASE,
    manifest: { ...BASE.manifest!, environment },
  });
  const here = { cpu_model: "a", logical_cores: 2, deno_version: "2.9.6" };
  const differing = (other: Record<string, unknown>) => [
    ...identityDifferences(on(here), on({ ...here, ...other })).keys(),
  ];
  assertEquals(differing({}), []);
  assertEquals(differing({ cpu_model: "b" }), ["cpu"]);
  assertEquals(differing({ logical_cores: 4, deno_version: "2.9.7" }), ["cores", "deno"]);
  assertEquals([...identityDifferences(on(here), BASE)], [], "what is not known does not differ");
});

Deno.test("runs of other adapters, dtypes and schemas are refused unless that is allowed", () => {
  const other = made({
    name: "o",
    times: [[1]],
    change: (row) => ({ ...row, adapter: "another", schema_version: "2" }),
  });
  assertEquals([...identityDifferences(BASE, other).keys()], ["adapter", "schema"]);
  assertEquals([...identityDifferences(BASE, BASE)], []);
  const error = assertThrows(
    () => compareRuns(BASE, other, 3, { allow: ["schema"] }),
    ComparisonError,
  );
  assertEquals([...error.differences.keys()], ["adapter"]);
  assertThrows(() => compareRuns([BASE, other], BASE, 3), ComparisonError);
  assertEquals(compareRuns(BASE, other, 3, { allow: ["schema", "adapter"] }).rows.length, 1);
});

Deno.test("rows of one side are listed with their numbers, in a line a group where people read", () => {
  const later = made({
    name: "f",
    times: CENTERS.slice(2).map((c) => [c]),
    change: (row, i) => ({ ...row, row_key: `key${i + 2}`, variant: `v${i + 2}` }),
  });
  const comparison = compareRuns(BASE, later, 3);
  assertEquals(comparison.missing.map(({ label, status, samples }) => [label, status, samples]), [
    ["gemm float32 v0 tp=1 tokens=1 context=256", "ok", 60],
    ["gemm float32 v1 tp=1 tokens=1 context=256", "ok", 60],
  ]);
  assert(Math.abs(comparison.missing[0]!.time_us! - 100) < 1);
  assertEquals(comparison.added, []);
  const lines = comparisonText(comparison).split("\n").filter((line) => line.startsWith("missing"));
  assertEquals(lines, ["missing: 2 rows of kernels gemm (2 ok)"]);
  const csv = comparisonCsv(comparison).trim().split("\r\n");
  assertEquals(csv.length, 1 + 8 + 2);
  const cell = (line: number, name: string) =>
    csv[line]!.split(",")[csv[0]!.split(",").indexOf(name)];
  assertEquals([cell(9, "verdict"), cell(9, "baseline_samples")], ["missing", "60"]);
  assert(comparisonMarkdown(comparison).includes("| missing | ok | "));
  const some = compareRuns(BASE, later, 3, { filter: / v[57] / });
  assertEquals([some.rows.length, some.missing.length], [2, 0]);
  assertThrows(() => compareRuns(BASE, later, 3, { filter: /conv/ }), RangeError, "there are none");
});

Deno.test("rows of one run that differ in a column are compared by their rounds alone", () => {
  const names = ["naive", "vector", "online"];
  const run = made({
    name: "r",
    times: [around(100, 1), around(95, 2), around(100, 3), around(100, 4)],
    change: (row, i) =>
      i < 3
        ? { ...row, variant: names[i]!, op: "softmax" }
        : { ...row, variant: "naive", op: "add" },
  });
  const round = Array.from({ length: 60 }, (_, i) => Math.floor(i / 6));
  const turns = new Map([...run.samples].map(([key, { row_key, series }]) => [key, {
    row_key,
    series: { ...series, round },
  }]));
  const inTurns = { ...run, samples: turns };
  const by = (options = {}) => compareBy(inTurns, { by: "variant", thresholdPct: 3, ...options });
  assertEquals(by().rows.map((row) => [row.verdict, row.scatter_from, row.label]), [
    ["faster", "one run", "softmax float32 vector tp=1 tokens=1 context=256 (against naive)"],
    ["same", "one run", "softmax float32 online tp=1 tokens=1 context=256 (against naive)"],
  ]);
  assertEquals(by().added.map(({ label }) => label.split(" ")[0]), ["add"]);
  assertEquals(by({ baseline: "vector" }).rows.map(({ verdict }) => verdict), ["slower", "slower"]);
  const apart = compareBy(run, { by: "variant", thresholdPct: 3 });
  assertEquals(apart.rows[0]!.verdict, "ambiguous", "not known to have taken turns");
  assertThrows(() => by({ by: "colour" }), RangeError, "legal are model, dtype, op, variant");
  assertThrows(() => by({ baseline: "best" }), RangeError, "legal are naive, vector, online");
  assertThrows(() => by({ by: "tokens" }), RangeError, "one value at most: 1");
});

Deno.test("pairs of runs are judged by their ratios: eight show a change, whatever drifts between them", () => {
  const pairsOf = (count: number, factor: number, noise = 0.004) =>
    Array.from({ length: count }, (_, pair) => {
      const drift = 1 + 0.3 * Math.sin(pair);
      const random = generator("pairs", pair);
      const side = (name: string, slower: number) =>
        made({
          name: `${name}${pair}`,
          times: CENTERS.map((c, row) =>
            around(
              c * drift * (row === 3 ? slower : 1) * (1 + noise * (random() - 0.5)),
              7 * pair + row,
            )
          ),
        });
      return [side("a", 1), side("b", factor)] as const;
    });
  const verdicts = (count: number, factor: number, noise?: number) =>
    comparePairs(pairsOf(count, factor, noise), 3).rows.map(({ verdict }) => verdict);
  const alone = (verdict: string) => CENTERS.map((_, i) => i === 3 ? verdict : "same");
  assertEquals(verdicts(8, 1.05), alone("slower"));
  assertEquals(verdicts(8, 1), alone("same"));
  assertEquals(verdicts(7, 1.05), alone("too few"));
  assert(verdicts(8, 1, 0.4).every((verdict) => verdict === "ambiguous" || verdict === "same"));
  const few = comparePairs(pairsOf(7, 1.05), 3);
  assertEquals(few.incomplete, ["1 rows changed, but have too few rounds to say so for certain"]);
  assert(
    few.rows[3]!.reason.endsWith("so few pairs never reach p 0.01; 8 do"),
    few.rows[3]!.reason,
  );
  const one = comparePairs(pairsOf(1, 1.05), 3).rows[3]!;
  assertEquals([one.p, one.ratio_low, one.ratio_high, one.scatter_pct], [1, 0, Infinity, null]);
  const [first, ...others] = pairsOf(8, 1);
  const lacking = [[first![0], made({ name: "x", times: [around(100, 1)] })] as const, ...others];
  const cut = comparePairs(lacking, 3);
  assertEquals(cut.rows.filter(({ verdict }) => verdict === "no data").length, 9);
  assert(cut.incomplete.some((what) => what.startsWith("9 rows of the candidate are not in all")));
  assertEquals(cut.machine_ratio, null, "both sides had the machine's own speed alike");
  // As many runs on both sides, but not of the same pairs.
  const [first2, second2, ...rest] = pairsOf(8, 1);
  const short = (name: string) => made({ name, times: [around(100, 1)] });
  const crossed = comparePairs([[first2![0], short("x")], [short("y"), second2![1]], ...rest], 3);
  assertEquals(crossed.rows.filter(({ verdict }) => verdict === "no data").length, 9);
});

Deno.test("schedules are compared at any depth, layouts by all of their sizes", () => {
  const cases = [["step", 1, 1], ["step_with_batch_queue", 2, 1], ["step_with_batch_queue", 3, 1], [
    "step",
    1,
    2,
  ]] as const;
  const rows = cases.map(([schedule, depth, stages], i): TextRow => ({
    ...{ suite: "schedules", row_key: `key${i}`, status: "ok", adapter: "an adapter" },
    ...{ schedule, max_concurrent_batches: `${depth}`, pipeline_parallel_size: `${stages}` },
    ...{ tensor_parallel_size: "1", data_parallel_size: "1" },
  }));
  const run: LoadedRun = {
    path: "r",
    manifest: undefined,
    suites: [{ suite: "schedules", path: "schedules.csv", headers: [], rows }],
    samples: new Map(rows.map((_, i) => [`key${i}`, {
      row_key: `key${i}`,
      series: { wall_ms: around(i === 1 ? 150 : 100, i, { n: 8 }) },
    }])),
  };
  const by = (name: string) =>
    compareBy(run, { by: name, thresholdPct: 3 }).rows
      .map((
        { row_key, verdict, baseline_us },
      ) => [row_key, verdict, Math.round(baseline_us! / 5e4)]);
  assertEquals(by("schedule"), [["key1", "slower", 2], ["key2", "same", 2]]);
  assertEquals(by("depth"), [["key2", "faster", 3]]);
  assertEquals(by("layout"), [["key3", "same", 2]]);
});

Deno.test("a comparison reads well on a terminal and in a pull request", () => {
  const comparison = compareRuns(
    made({ name: "base", times: [around(100, 1), around(200, 2)] }),
    made({
      name: "candidate",
      times: [around(150, 3), around(200, 4)],
      change: (row, i) => i === 0 ? { ...row, op: "gemm|<b>" } : row,
    }),
    3,
    QUIET,
  );
  const fixed = {
    ...comparison,
    rows: comparison.rows.map((row) => ({
      ...row,
      label: row.label,
      ratio: row.ratio === null ? null : Math.round(row.ratio * 10) / 10,
      ratio_low: 1.4,
      ratio_high: 1.6,
      p: 0.00001,
      baseline_us: 100,
      candidate_us: 150,
      warning: "candidate: noise 26 %",
    })),
    geometric_mean: 1.2,
  };
  assertEquals(comparisonText(fixed).split("\n"), [
    "verdict  ratio  95 % interval       p  baseline us  candidate us      n  runs apart %  row",
    "slower   1.500    1.400-1.600  <0.001        100.0         150.0  60/60           0.5  kernels: gemm|<b> float32 v0 tp=1 tokens=1 context=256 [candidate: noise 26 %]",
    "2 rows: 1 slower, 0 no data, 0 faster, 0 too few, 0 ambiguous, 1 same; geometric mean 1.200; the machine's own 1.000",
  ]);
  const hostile = { ...fixed, rows: fixed.rows.map((row) => ({ ...row, label: "a|b<img>\nc" })) };
  assertEquals(comparisonMarkdown(hostile).split("\n").slice(0, 5), [
    "**2 rows: 1 slower, 0 no data, 0 faster, 0 too few, 0 ambiguous, 1 same; geometric mean 1.200; the machine's own 1.000**",
    "",
    "| verdict | ratio | 95 % interval | p | baseline us | candidate us | n | runs apart % | row |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    "| slower | 1.500 | 1.400-1.600 | \\<0.001 | 100.0 | 150.0 | 60/60 | 0.5 | kernels: a\\|b\\<img\\> c \\[candidate: noise 26 %\\] |",
  ]);
});

Deno.test("a threshold that is no share is refused", () => {
  const run = made({ name: "a", times: [[1, 2, 3]] });
  for (const wrong of [NaN, -3, Infinity]) {
    assertThrows(() => compareRuns(run, run, wrong), RangeError, `${wrong} %`);
  }
});
