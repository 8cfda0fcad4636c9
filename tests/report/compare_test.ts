import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { generator } from "../../statistics/counter_generator.ts";
import { compareRuns } from "../../report/compare_runs.ts";
import { identityDifferences } from "../../report/run_differences.ts";
import { comparisonMarkdown, comparisonText } from "../../report/compare_text.ts";
import type { LoadedRun, TextRow } from "../../records/run_folder/load_run.ts";
import { selftest } from "../../report/selftest.ts";

interface Made {
  readonly name: string;
  /** Times of each row in us; a row's key is its place. */
  readonly times: readonly (readonly number[])[];
  readonly change?: (row: Record<string, string>, place: number) => Record<string, string>;
  readonly canaryUs?: number;
}

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
  const { rows, scatter_pct } = compareRuns(BASE, candidate, 3);
  const verdicts = rows.map(({ verdict }) => verdict);
  assertEquals(verdicts[2], "slower");
  assertEquals(verdicts[4], "faster");
  assertEquals(verdicts.filter((verdict) => verdict === "same").length, 8);
  assertEquals(rows.map((row) => row.is_regression).filter((is) => is).length, 1);
  assert(rows[2]!.ratio_low! > 1.04 && rows[2]!.ratio_high! < 1.08 && rows[2]!.p! < 0.001);
  assert(scatter_pct! < 3, String(scatter_pct));
});

Deno.test("a run against itself is 1 everywhere; exchanging the runs inverts every ratio", () => {
  assert(compareRuns(BASE, BASE, 3).rows.every((r) => r.ratio === 1 && r.verdict === "same"));
  const other = made({
    name: "other",
    times: CENTERS.map((c, i) => around(c * (1 + i / 50), i + 9)),
  });
  const [there, back] = [compareRuns(BASE, other, 3), compareRuns(other, BASE, 3)];
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

Deno.test("what the machine itself explains, or rows' scatter, is ambiguous", () => {
  const slow = CENTERS.map((c, i) => around(c * 1.2, i + 50));
  const machine = compareRuns(BASE, made({ name: "m", times: slow, canaryUs: 121 }), 3);
  assert(machine.rows.every(({ verdict }) => verdict === "ambiguous"), machine.rows[0]!.reason);
  const code = compareRuns(BASE, made({ name: "c", times: slow, canaryUs: 100 }), 3);
  assert(code.rows.every(({ verdict }) => verdict === "slower"));
  const drifting = CENTERS.map((c, i) => around(c * (1 + 0.1 * Math.cos(3 * i)), i + 50));
  const scattered = compareRuns(BASE, made({ name: "s", times: drifting }), 3);
  assert(scattered.rows.every(({ verdict }) => verdict === "ambiguous" || verdict === "same"));
  assert(scattered.scatter_pct! > 10);
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
  assertEquals(near.incomplete, ["1 rows changed, but have too few samples to say so for certain"]);
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

Deno.test("runs of other adapters, dtypes and schemas differ; rows that one run lacks are named", () => {
  const other = made({
    name: "o",
    times: [[1]],
    change: (row) => ({ ...row, adapter: "another", schema_version: "2" }),
  });
  assertEquals([...identityDifferences(BASE, other).keys()], ["adapter", "schema"]);
  assertEquals([...identityDifferences(BASE, BASE)], []);
  const { missing, added } = compareRuns(
    BASE,
    made({
      name: "f",
      times: CENTERS.slice(1).map((c) => [c]),
      change: (row, i) => ({ ...row, row_key: `key${i + 1}` }),
    }),
    3,
  );
  assertEquals(missing, ["gemm float32 v0 tp=1 tokens=1 context=256"]);
  assertEquals(added, []);
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
    "verdict  ratio  95 % interval       p  baseline us  candidate us      n  row",
    "slower   1.500    1.400-1.600  <0.001        100.0         150.0  60/60  kernels: gemm float32 v0 tp=1 tokens=1 context=256 [candidate: noise 26 %]",
    "2 rows: 1 slower, 0 no data, 0 faster, 0 too few, 0 ambiguous, 1 same; geometric mean 1.200; the machine's own 1.000",
  ]);
  const hostile = { ...fixed, rows: fixed.rows.map((row) => ({ ...row, label: "a|b<img>\nc" })) };
  assertEquals(comparisonMarkdown(hostile).split("\n").slice(0, 5), [
    "**2 rows: 1 slower, 0 no data, 0 faster, 0 too few, 0 ambiguous, 1 same; geometric mean 1.200; the machine's own 1.000**",
    "",
    "| verdict | ratio | 95 % interval | p | baseline us | candidate us | n | row |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    "| slower | 1.500 | 1.400-1.600 | \\<0.001 | 100.0 | 150.0 | 60/60 | kernels: a\\|b\\<img\\> c \\[candidate: noise 26 %\\] |",
  ]);
});

Deno.test("the self-test counts what a comparison invents and finds", () => {
  const run = (name: string, seed: number) =>
    made({ name, times: CENTERS.map((c, i) => around(c, i + seed, { n: 320 })) });
  const rates = selftest([run("a", 1), run("b", 100)], 3);
  const of = (slowdown: number) =>
    rates.find((r) => r.slowdown_pct === slowdown && r.sides === "interleaved")!;
  assertEquals([of(0).rows, of(0).called_slower + of(0).called_faster], [60, 0]);
  assertEquals(of(1).called_slower, 0, "below the threshold");
  assert(of(5).called_slower >= 57 && of(10).called_slower === 60, JSON.stringify(of(5)));
});

Deno.test("a threshold that is no share is refused", () => {
  const run = made({ name: "a", times: [[1, 2, 3]] });
  for (const wrong of [NaN, -3, Infinity]) {
    assertThrows(() => compareRuns(run, run, wrong), RangeError, `${wrong} %`);
  }
});
