import { assertEquals } from "@std/assert";
import type { TextRow } from "../../records/run_folder/load_run.ts";
import type { Evidence } from "../../report/evidence.ts";
import { judge, type JudgedBy } from "../../report/judge_row.ts";
import type { RowSide, RunTimes } from "../../report/row_side.ts";

/** A run that measured such samples. */
function times(samples: readonly number[]): RunTimes {
  const rounds = samples.slice(0, 2);
  return { samples, rounds, medianUs: samples[0], logError: 0, knowsRounds: true };
}

function side(
  samples: readonly number[] = [100, 100],
  { row = {}, ...more }: Partial<Omit<RowSide, "row">> & { readonly row?: TextRow } = {},
): RowSide {
  return {
    ...{ suite: "kernels", label: "a row", warning: "", runs: [times(samples)] },
    row: { status: "ok", row_key: "k", ...row },
    ...more,
  };
}

/** What is certain, of times 100 and `us`. */
function evidence(us: number, more: Partial<Evidence> = {}): Evidence {
  return {
    times: [100, us],
    ratio: us / 100,
    interval: [us / 101, us / 99],
    p: 0.001,
    exactP: 0.001,
    leastExactP: 0.001,
    scatterPct: 1,
    source: "machine's floor",
    ...more,
  };
}

const BY: JudgedBy = { adjustedP: 0.01, machine: null, thresholdPct: 3 };

/** Verdict and reason, and whether it is a regression. */
function said(found: Evidence | undefined, by: Partial<JudgedBy> = {}, sides = [side(), side()]) {
  const row = judge([sides[0]!, sides[1]!], found, { ...BY, ...by });
  return [row.verdict, row.reason, row.is_regression];
}

Deno.test("a judged row has its numbers beside its verdict, of both sides", () => {
  const a = side([100, 101, 102], { warning: "hot" });
  const b = side([104, 105, 106, 107], {
    ...{ suite: "collectives", label: "its name", warning: "old" },
    ...{ row: { row_key: "j" }, runs: [times([104, 105, 106]), times([107])] },
  });
  assertEquals(judge([a, b], evidence(105), { ...BY, machine: 1.05, adjustedP: 0.02 }), {
    suite: "collectives",
    row_key: "j",
    label: "its name",
    verdict: "ambiguous",
    reason: "5.0 %, but the machine itself took 5.0 % more time",
    warning: "baseline: hot; candidate: old",
    is_regression: false,
    ratio: 1.05,
    ratio_low: 105 / 101,
    ratio_high: 105 / 99,
    ratio_of_machine: 1,
    p: 0.02,
    p_rounds: 0.001,
    scatter_pct: 1,
    scatter_from: "machine's floor",
    baseline_us: 100,
    candidate_us: 105,
    samples: [3, 4],
    rounds: [2, 3],
    runs: [1, 2],
  });
  const {
    suite,
    row_key,
    label,
    warning,
    samples,
    rounds,
    runs,
    verdict,
    reason,
    is_regression,
    ...rest
  } = judge([side([]), side([], { warning: "old" })], undefined, { ...BY, machine: 2 });
  assertEquals([suite, row_key, label, warning], ["kernels", "k", "a row", "candidate: old"]);
  assertEquals([samples, rounds, runs], [[0, 0], [0, 0], [1, 1]]);
  assertEquals([verdict, reason, is_regression], ["no data", "a run has no time for it", false]);
  assertEquals(new Set(Object.values(rest)), new Set([null]));
  const endless = judge([side(), side()], evidence(105, { scatterPct: Infinity }), BY);
  assertEquals([endless.scatter_pct, endless.ratio_of_machine], [null, null]);
});

Deno.test("a row that is not ok is no data; one that went wrong is a regression", () => {
  const of = (before: string, after: string, reason = "") =>
    said(undefined, {}, [
      side([], { row: { status: before, reason: "once" } }),
      side([], { row: { status: after, reason } }),
    ]);
  assertEquals(of("ok", "wrong", "3 elements"), [
    "no data",
    "the candidate is wrong: 3 elements",
    true,
  ]);
  assertEquals(of("ok", "failed"), ["no data", "the candidate is failed", true]);
  assertEquals(of("ok", "skipped", "no room"), [
    "no data",
    "the candidate is skipped: no room",
    false,
  ]);
  assertEquals(of("failed", "failed"), ["no data", "the candidate is failed", false]);
  assertEquals(of("wrong", "wrong"), ["no data", "the candidate is wrong", false]);
  assertEquals(of("wrong", "ok"), ["no data", "the baseline is wrong: once", false]);
});

Deno.test("a change within the threshold is none, beyond it the row is slower or faster", () => {
  assertEquals(said(evidence(103)), ["same", "3.0 %, within 3 %", false]);
  assertEquals(said(evidence(103.1)), ["slower", "3.1 %", true]);
  const of = (us: number) => said(evidence(us), { thresholdPct: 25 });
  assertEquals(of(125), ["same", "25.0 %, within 25 %", false]);
  assertEquals(of(125.1), ["slower", "25.1 %", true]);
  assertEquals(of(80), ["same", "-20.0 %, within 25 %", false]);
  assertEquals(of(79.9), ["faster", "-20.1 %", false]);
  assertEquals(said(evidence(97)), ["faster", "-3.0 %", false]);
  assertEquals(said(evidence(100), { thresholdPct: 0 }), ["same", "0.0 %, within 0 %", false]);
});

Deno.test("samples that are all far apart count, whatever else is known; few and near ones do not", () => {
  const apart = "and no sample of one is near the other's";
  const of = (a: readonly number[], b: readonly number[], machine: number | null = null) =>
    said(evidence(b[0]! > a[0]! ? 150 : 50, { leastExactP: 1 }), { machine }, [
      side(a),
      side(b),
    ])[1];
  assertEquals(of([100, 99, 98], [121, 122, 123]), `50.0 %, ${apart}`);
  assertEquals(of([122, 121, 124], [99, 100, 98]), `-50.0 %, ${apart}`);
  const few = (change: string) => `${change} %, but so few rounds never reach p 0.01; 5 a side do`;
  assertEquals(of([99, 100, 98], [119, 121, 122]), few("50.0"));
  assertEquals(of([119, 121, 122], [99, 100, 98]), few("-50.0"));
  assertEquals(of([100, 99], [200, 200, 200]), few("50.0"));
  assertEquals(of([100, 99, 98], [200, 200]), few("50.0"));
  // At the machine's speed of then: neither a slower nor a faster machine makes a change.
  assertEquals(of([100, 100, 100], [150, 150, 150], 1.2), `50.0 %, ${apart}`);
  assertEquals(of([100, 100, 100], [150, 150, 150], 1.3), few("50.0"));
  assertEquals(of([100, 100, 100], [150, 150, 150], 0.5), `50.0 %, ${apart}`);
  assertEquals(of([100, 100, 100], [50, 50, 50], 0.7), `-50.0 %, ${apart}`);
  assertEquals(of([100, 100, 100], [50, 50, 50], 0.55), few("-50.0"));
  assertEquals(of([100, 100, 100], [50, 50, 50], 2), `-50.0 %, ${apart}`);
});

Deno.test("units that are too few, overlap, or a chance that is too great leave a row uncertain", () => {
  const of = (more: Partial<Evidence>, by: Partial<JudgedBy> = {}) =>
    said(evidence(110, more), by).slice(0, 2);
  assertEquals(of({ leastExactP: 0.01 }), ["slower", "10.0 %"]);
  assertEquals(of({ leastExactP: 0.011 }), [
    "too few",
    "10.0 %, but so few rounds never reach p 0.01; 5 a side do",
  ]);
  assertEquals(of({ leastExactP: 1, source: "pairs" }), [
    "too few",
    "10.0 %, but so few pairs never reach p 0.01; 8 do",
  ]);
  assertEquals(of({ exactP: 0.01 }), ["slower", "10.0 %"]);
  assertEquals(of({ exactP: null }), ["slower", "10.0 %"]);
  assertEquals(of({ exactP: 0.0123 }), ["ambiguous", "10.0 %, but its rounds overlap: p 0.012"]);
  assertEquals(of({ exactP: 0.5, source: "pairs" }), [
    "ambiguous",
    "10.0 %, but its pairs overlap: p 0.50",
  ]);
  assertEquals(of({ p: 0.005 }, { adjustedP: 0.035 }), ["slower", "10.0 %"]);
  assertEquals(of({ p: 0.0051 }), [
    "ambiguous",
    "10.0 %, but p 0.0051 where two runs are 1.0 % apart (machine's floor)",
  ]);
  const among = "10.0 %, but p 0.036 among the suite's rows";
  assertEquals(of({ p: 0.2, source: "one run" }, { adjustedP: 0.036 }), [
    "ambiguous",
    `${among} within this run`,
  ]);
  assertEquals(of({ source: "pairs", scatterPct: 2.34 }, { adjustedP: 0.036 }), [
    "ambiguous",
    `${among} where pairs scatter by 2.3 %`,
  ]);
});

Deno.test("a change that the machine made as well is ambiguous, one beyond it is not", () => {
  const of = (us: number, machine: number) => said(evidence(us), { machine }).slice(0, 2);
  assertEquals(of(110, 1.05), ["slower", "10.0 %"]);
  assertEquals(of(110, 1.09), ["ambiguous", "10.0 %, but the machine itself took 9.0 % more time"]);
  assertEquals(of(206, 2), ["slower", "106.0 %"]);
  assertEquals(of(90, 0.95), ["faster", "-10.0 %"]);
  assertEquals(of(90, 0.91), ["ambiguous", "-10.0 %, but the machine itself took 9.0 % less time"]);
  assertEquals(of(90, 1.5), ["faster", "-10.0 %"]);
});
