import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { LoadedRun, TextRow } from "../../records/run_folder/load_run.ts";
import { byNames, compareBy } from "../../report/compare_by.ts";
import { comparePairs } from "../../report/compare_pairs.ts";
import { compareRuns, scatterOfFloor } from "../../report/compare_runs.ts";
import { conclude, type Pair } from "../../report/comparison.ts";
import type { Evidence } from "../../report/evidence.ts";
import type { RowSide } from "../../report/row_side.ts";
import { ComparisonError } from "../../report/run_differences.ts";

/** A run of rows `key0`, `key1`... of such times in us, eight rounds each. */
function runOf(
  path: string,
  us: readonly number[],
  { canary_us, row = () => ({}) }: {
    readonly canary_us?: number;
    readonly row?: (place: number) => TextRow;
  } = {},
): LoadedRun {
  const rows = us.map((_, i): TextRow => ({
    ...{ suite: "kernels", row_key: `key${i}`, status: "ok", adapter: "x", dtype: "float32" },
    ...{ op: `op${i}`, variant: "naive", mode: "hot", clock: "gpu", samples: "8" },
    ...row(i),
  }));
  const round = Array.from({ length: 8 }, (_, i) => i);
  return {
    path,
    manifest: { canary_us } as unknown as LoadedRun["manifest"],
    suites: [{ suite: "kernels", path: `${path}.csv`, headers: [], rows }],
    samples: new Map(rows.map(({ row_key }, i) => [row_key!, {
      row_key: row_key!,
      series: { gpu_us: round.map((j) => us[i]! * (1 + j / 1e4)), round },
    }])),
  };
}

function sideOf(row: TextRow = {}, us: number | null = 100): RowSide {
  const rounds = us === null ? [] : [us];
  const run = {
    samples: rounds,
    rounds,
    medianUs: us ?? undefined,
    logError: 0,
    knowsRounds: true,
  };
  return {
    ...{ suite: "kernels", label: "a row", warning: "", runs: [run] },
    row: { status: "ok", row_key: "k", ...row },
  };
}

const EVIDENCE: Evidence = {
  ...{ times: [100, 200], ratio: 2, interval: [1.9, 2.1], p: 0.004, exactP: null, leastExactP: 0 },
  ...{ scatterPct: 1, source: "default floor" },
};

function concluded(pairs: readonly Pair[], more: Partial<Parameters<typeof conclude>[0]> = {}) {
  const runs = [[runOf("a", [1])], [runOf("b", [1])]] as const;
  return conclude({ runs, pairs, missing: [], added: [], thresholdPct: 3, ...more });
}

Deno.test("a comparison names its runs, and the machine's speed by their canaries' geometric means", () => {
  const canaries = (own: readonly number[], other: readonly number[], inTurns = false) => {
    const [a, b] = [own, other].map((side, i) =>
      side.map((canary_us, j) => runOf(`${"ab"[i]}${j}`, [1], { canary_us }))
    );
    return concluded([], { runs: [a!, b!], inTurns });
  };
  const { baseline, candidate, threshold_pct, machine_ratio } = canaries([100, 400], [50, 50]);
  assertEquals([baseline, candidate, threshold_pct], ["a0,a1", "b0,b1", 3]);
  assertAlmostEquals(machine_ratio!, 0.25, 1e-12);
  assertEquals(canaries([100], [50], true).machine_ratio, null);
  assertEquals(canaries([0], [50]).machine_ratio, null);
  assertEquals(canaries([50], [0]).machine_ratio, null);
  assertEquals(concluded([]).machine_ratio, null);
});

Deno.test("a comparison sums up its rows, and those of one side have their own times", () => {
  const [a, b] = [sideOf(), sideOf()];
  const pair = (evidence: Evidence | undefined) => ({ a, b, evidence });
  const none = concluded([]);
  assertEquals([none.geometric_mean, none.without_floor, none.without_samples], [null, 0, false]);
  const some = concluded([
    pair(EVIDENCE),
    pair({ ...EVIDENCE, ratio: 8, source: "machine's floor" }),
    pair(undefined),
  ]);
  assertAlmostEquals(some.geometric_mean!, 4, 1e-12);
  assertEquals([some.without_floor, some.without_samples], [1, false]);
  const bare = { ...sideOf({}, null), runs: [{ ...sideOf().runs[0]!, rounds: [] }] };
  assertEquals(concluded([{ a, b: bare, evidence: EVIDENCE }]).without_samples, true);
  assertEquals(concluded([{ a, b: bare, evidence: undefined }]).without_samples, false);
  const { missing, added } = concluded([], {
    missing: [sideOf({ samples: "9" })],
    added: [{ ...sideOf({ row_key: "j", status: "wrong", samples: "9" }, null), label: "b" }],
  });
  assertEquals(missing, [
    { suite: "kernels", row_key: "k", label: "a row", status: "ok", time_us: 100, samples: 1 },
  ]);
  assertEquals(added, [
    { suite: "kernels", row_key: "j", label: "b", status: "wrong", time_us: null, samples: 9 },
  ]);
});

Deno.test("chances are adjusted within each suite", () => {
  const pair = (suite: RowSide["suite"], p: number) => ({
    ...{ a: { ...sideOf(), suite }, b: { ...sideOf(), suite }, evidence: { ...EVIDENCE, p } },
  });
  const { rows } = concluded([
    ...[pair("kernels", 0.02), pair("schedules", 0.03), pair("kernels", 0.001)],
    { ...pair("kernels", 1), evidence: undefined },
  ]);
  assertEquals(rows.map(({ p }) => p), [0.02, 0.03, 0.002, null]);
});

Deno.test("what keeps a gate from passing is counted", () => {
  const [ok, wrong] = [sideOf(), sideOf({ status: "wrong" })];
  const lost = concluded([
    ...[ok, ok].map((a) => ({ a, b: sideOf({ status: "skipped" }), evidence: undefined })),
    { a: ok, b: wrong, evidence: undefined }, // a regression
    { a: wrong, b: ok, evidence: undefined },
    { a: ok, b: ok, evidence: { ...EVIDENCE, leastExactP: 1 } },
  ]);
  assertEquals(lost.incomplete, [
    "2 rows that were ok have no time any more",
    "1 rows changed, but have too few rounds to say so for certain",
  ]);
  const twice = { ...ok, runs: [...ok.runs, ...ok.runs] };
  const uneven = concluded([{ a: twice, b: ok, evidence: EVIDENCE }], {
    ...{ missing: [twice, ok], added: [twice] },
  });
  assertEquals(uneven.incomplete, [
    "2 rows of the baseline are missing",
    "2 rows of the baseline are not in all of its 1 runs",
    "1 rows of the candidate are not in all of its 1 runs",
  ]);
  const same = runOf("same", [1, 2, 3], { row: () => ({ row_key: "k" }) });
  assertEquals(concluded([], { runs: [[same], [same]] }).incomplete, [
    "2 rows of same repeat another row's key",
  ]);
  for (const wrong of [-1, NaN, Infinity]) {
    assertThrows(() => concluded([], { thresholdPct: wrong }), RangeError, `within ${wrong} %`);
  }
  assertEquals(concluded([], { thresholdPct: 0 }).threshold_pct, 0);
});

Deno.test("a floor's scatter is of one run of two; a class without one has 5 % of the default", () => {
  const of = (scatter_pct?: number) => {
    const floor = { scatter_pct: scatter_pct ?? 0, degrees: 7, rows: 2, runs: 2 };
    const floors = scatter_pct === undefined ? {} : { "kernels hot, 100 us to 1 ms": floor };
    const side = sideOf({ mode: "hot" });
    return scatterOfFloor({ machine: {}, floors })(side);
  };
  const { variance, ...rest } = of(4);
  assertAlmostEquals(variance, 0.0008, 1e-12);
  assertEquals(rest, { degrees: 7, source: "machine's floor" });
  assertAlmostEquals(of().variance, 0.00125, 1e-12);
  assertEquals([of().degrees, of().source], [Infinity, "default floor"]);
});

Deno.test("of three runs a side a row's scatter is its class's, or its own where that is more", () => {
  const side = (name: string, factors: readonly number[], own: readonly number[]) =>
    factors.map((factor, i) => runOf(`${name}${i}`, [200 * factor * own[i]!, 300 * factor]));
  const still = [1, 1, 1];
  const of = (own: readonly number[], factors = still) =>
    compareRuns(side("a", factors, own), side("b", factors, own), 3).rows.map((row) =>
      row.scatter_pct!
    );
  const moved = [1, Math.exp(0.1), Math.exp(-0.1)];
  // Both rows move together: a variance of 0.01 between runs.
  for (const pct of of(still, moved)) assertAlmostEquals(pct, 100 * Math.sqrt(0.02), 1e-6);
  // One row moves alone: 0.01 of its own, half of it in its class.
  const [alone, other] = of(moved);
  assertAlmostEquals(alone!, 100 * Math.sqrt(0.02), 1e-6);
  assertAlmostEquals(other!, 100 * Math.sqrt(2 * 0.005), 1e-6);
  const two = compareRuns(side("a", [1, 1], still), side("b", moved, still), 3).rows[0]!;
  assertEquals(two.scatter_from, "default floor");
});

Deno.test("sides without runs, a filter that leaves nothing and other machines are refused", () => {
  const [a, b] = [runOf("a", [1, 2]), runOf("b", [1, 2])];
  const other = runOf("c", [1, 2], { row: () => ({ adapter: "y" }) });
  assertThrows(() => compareRuns([], a, 3), RangeError, "a side has no run");
  assertThrows(() => compareRuns(a, [], 3), RangeError, "a side has no run");
  assertThrows(() => comparePairs([], 3), RangeError, "there is no pair of runs");
  assertThrows(() => comparePairs([[a, other]], 3), ComparisonError, 'adapter "x" against "y"');
  const none = { filter: /conv/ };
  assertThrows(() => comparePairs([[a, b]], 3, none), RangeError, "match /conv/: there are none");
  assertEquals(comparePairs([[a, other]], 3, { allow: ["adapter"] }).rows.length, 2);
  const filtered = comparePairs([[a, runOf("b", [1])]], 3, { filter: /op1/ });
  assertEquals([filtered.rows.length, filtered.missing.map(({ row_key }) => row_key)], [0, [
    "key1",
  ]]);
  const more = comparePairs([[runOf("a", [1]), b]], 3);
  assertEquals([more.rows.length, more.added.map(({ row_key }) => row_key)], [1, ["key1"]]);
  const runs = compareRuns(runOf("a", [1]), b, 3, { filter: /op/ });
  assertEquals(runs.added.map(({ row_key }) => row_key), ["key1"]);
});

Deno.test("rows of a run are compared by its key columns and by layout; the usual value is the baseline", () => {
  const run = runOf("a", [100, 90, 80, 70], {
    row: (i) => ({ op: i < 3 ? "add" : "mul", variant: ["vector", "naive", "wide", "naive"][i]! }),
  });
  assertEquals(byNames(run).slice(0, 4), ["model", "dtype", "op", "variant"]);
  const { rows, added, machine_ratio, baseline, candidate } = compareBy(run, {
    ...{ by: "variant", thresholdPct: 3 },
  });
  assertEquals([baseline, candidate, machine_ratio], ["a", "a", null]);
  assertEquals(rows.map(({ row_key, label, ratio }) => [row_key, label, ratio!.toFixed(3)]), [
    ["key0", "add float32 vector (against naive)", "1.111"],
    ["key2", "add float32 wide (against naive)", "0.889"],
  ]);
  assertEquals(added.map(({ row_key }) => row_key), ["key3"]);
  assertEquals(rows.map(({ scatter_from }) => scatter_from), ["one run", "one run"]);
  const wide = compareBy(run, { by: "variant", baseline: "wide", thresholdPct: 3, filter: /add/ });
  assertEquals([wide.rows.length, wide.added.length], [2, 0]);
  const op = compareBy(run, { by: "op", thresholdPct: 3, filter: / naive/ });
  assertEquals(op.rows.map(({ label }) => label), ["mul float32 naive (against add)"]);
  const message = (options: Omit<Parameters<typeof compareBy>[1], "thresholdPct">) =>
    assertThrows(() => compareBy(run, { ...options, thresholdPct: 3 }), RangeError).message;
  assertEquals(message({ by: "mode" }), 'Cannot compare by "mode": it has one value at most: hot');
  assertEquals(message({ by: "mode", baseline: "cold" }), message({ by: "mode" }));
  assertEquals(
    message({ by: "op", filter: /conv/ }),
    'Cannot compare by "op": it has one value at most: no row',
  );
  assertEquals(
    message({ by: "variant", baseline: "best" }),
    'Cannot compare with variant "best": legal are vector, naive, wide',
  );
  assertEquals(
    message({ by: "layout" }).startsWith('Cannot compare by "layout": legal are model,'),
    true,
  );
});
