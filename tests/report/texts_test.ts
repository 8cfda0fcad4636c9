import { assertEquals } from "@std/assert";
import type { Comparison, OneSidedRow } from "../../report/comparison.ts";
import { comparisonCsv } from "../../report/compare_csv.ts";
import {
  comparisonMarkdown,
  comparisonSummary,
  comparisonText,
} from "../../report/compare_text.ts";
import type { ComparedRow, Verdict } from "../../report/judge_row.ts";
import { rankDrawing } from "../../report/rank_drawing.ts";
import { selftestText, share, shareText } from "../../report/selftest.ts";
import { coverageText, simulatedText } from "../../report/simulate_verdicts.ts";

function row(verdict: Verdict, more: Partial<ComparedRow> = {}): ComparedRow {
  return {
    ...{ suite: "kernels", row_key: "k", label: `a ${verdict} row`, verdict, reason: "why" },
    ...{ warning: "", is_regression: false, ratio: 1, ratio_low: 0.9, ratio_high: 1.1 },
    ...{ ratio_of_machine: 1, p: 0.0456, p_rounds: 0.5, scatter_pct: 1.26 },
    ...{ scatter_from: "default floor", baseline_us: 100, candidate_us: 12.3456 },
    ...{ samples: [10, 20], rounds: [2, 3], runs: [1, 4] },
    ...more,
  };
}

const GONE: OneSidedRow = {
  ...{ suite: "kernels", row_key: "g", label: "gemm naive", status: "ok" },
  ...{ time_us: 12.3456, samples: 7 },
};

function comparison(more: Partial<Comparison> = {}): Comparison {
  return {
    ...{ baseline: "a", candidate: "b", threshold_pct: 3, rows: [], missing: [], added: [] },
    ...{ geometric_mean: null, machine_ratio: null, without_floor: 0, without_samples: false },
    incomplete: [],
    ...more,
  };
}

const NONE = row("no data", {
  ...{ ratio: null, ratio_low: null, ratio_high: null, p: null, p_rounds: null },
  ...{ scatter_pct: null, baseline_us: null, candidate_us: null, is_regression: true },
  warning: "hot",
});
const ROWS = [
  row("same", { warning: "old" }),
  row("faster", { ratio: 0.5, label: "half" }),
  row("ambiguous", { p: 0.001 }),
  row("slower", { ratio: 1.5, is_regression: true, p: 0.0009, label: "one and a half" }),
  row("faster", { ratio: 0.4, label: "less than half" }),
  NONE,
  row("too few"),
];

Deno.test("a summary counts rows by verdict, and says what else there is", () => {
  const counts = "1 slower, 1 no data, 2 faster, 1 too few, 1 ambiguous, 1 same";
  assertEquals(
    comparisonSummary(comparison({ rows: ROWS })),
    `7 rows: ${counts}; 1 no longer right`,
  );
  assertEquals(
    comparisonSummary(comparison({
      ...{ missing: [GONE, GONE], added: [GONE], geometric_mean: 1.23456, machine_ratio: 0.98765 },
    })),
    "0 rows: 0 slower, 0 no data, 0 faster, 0 too few, 0 ambiguous, 0 same; 2 missing; 1 new; " +
      "geometric mean 1.235; the machine's own 0.988",
  );
  const alone = comparison({ candidate: "a", added: [GONE], rows: [row("no data")] });
  assertEquals(comparisonSummary(alone).split("; ").slice(1), ["1 alone"]);
});

Deno.test("on a terminal the worst rows stand first, the same ones only where all are wanted", () => {
  const compared = comparison({
    rows: ROWS,
    missing: [GONE, { ...GONE, status: "skipped" }, GONE, { ...GONE, label: "add vector" }],
    added: [{ ...GONE, suite: "schedules", label: "step" }],
    without_floor: 2,
    without_samples: true,
  });
  const head =
    "verdict    ratio  95 % interval       p  baseline us  candidate us      n  runs apart %  row";
  const line = (verdict: string, ratio: string, p: string, label: string) =>
    `${verdict.padEnd(9)}  ${ratio}    0.900-1.100  ${
      p.padStart(6)
    }        100.0         12.35  10/20           1.3  kernels: ${label}`;
  const lines = [
    head,
    line("slower", "1.500", "<0.001", "one and a half"),
    "no data                                                             10/20                kernels: a no data row (why) [hot]",
    line("faster", "0.400", "0.046", "less than half"),
    line("faster", "0.500", "0.046", "half"),
    line("too few", "1.000", "0.046", "a too few row (why)"),
    line("ambiguous", "1.000", "0.001", "a ambiguous row (why)"),
  ];
  const rest = [
    "missing: 3 rows of kernels gemm (2 ok, 1 skipped)",
    "missing: 1 rows of kernels add (1 ok)",
    "new: 1 rows of schedules step (1 ok)",
    comparisonSummary(compared),
    "No floor for this machine of 2 of 7 rows: run selftest. Until then two runs are taken to be 5 % apart.",
    "Some rows have no samples.jsonl beside them: their verdicts rest on the files' intervals alone.",
  ];
  assertEquals(comparisonText(compared).split("\n"), [...lines, ...rest]);
  assertEquals(comparisonText(compared, { all: true }).split("\n"), [
    ...lines,
    line("same", "1.000", "0.046", "a same row"),
    ...rest,
  ]);
  const same = comparison({ rows: [row("same")] });
  assertEquals(comparisonText(same), comparisonSummary(same));
});

Deno.test("in a pull request what changed is a table, the rest is folded", () => {
  const compared = comparison({
    rows: [row("same", { label: "a_b" }), ROWS[3]!, row("ambiguous"), row("too few"), NONE],
    missing: [GONE],
    added: [{ ...GONE, time_us: null, status: "wrong" }],
    without_floor: 1,
  });
  const header = [
    "| verdict | ratio | 95 % interval | p | baseline us | candidate us | n | runs apart % | row |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
  ];
  const line = (verdict: string, ratio: string, p: string, label: string) =>
    `| ${verdict} | ${ratio} | 0.900-1.100 | ${p} | 100.0 | 12.35 | 10/20 | 1.3 | kernels: ${label} |`;
  assertEquals(comparisonMarkdown(compared).split("\n"), [
    `**${comparisonSummary(compared)}**`,
    "",
    ...header,
    line("slower", "1.500", "\\<0.001", "one and a half"),
    "| no data |  |  |  |  |  | 10/20 |  | kernels: a no data row (why) \\[hot\\] |",
    line("too few", "1.000", "0.046", "a too few row (why)"),
    "",
    "<details><summary>2 other rows</summary>",
    "",
    ...header,
    line("ambiguous", "1.000", "0.046", "a ambiguous row (why)"),
    line("same", "1.000", "0.046", "a\\_b"),
    "",
    "</details>",
    "",
    "<details><summary>2 rows of one side</summary>",
    "",
    "| only one side | status | us | n | row |",
    "| --- | --- | ---: | ---: | --- |",
    "| missing | ok | 12.35 | 7 | kernels: gemm naive |",
    "| new | wrong |  | 7 | kernels: gemm naive |",
    "",
    "</details>",
    "",
    "No floor for this machine of 1 of 5 rows: run selftest. Until then two runs are taken to be 5 % apart.",
  ]);
  const same = comparison({ rows: [row("same")] });
  assertEquals(comparisonMarkdown(same).split("\n").slice(1, 5), [
    ...["", "Nothing changed.", "", "<details><summary>1 other rows</summary>"],
  ]);
  const changed = comparison({ rows: [ROWS[3]!] });
  assertEquals(comparisonMarkdown(changed).split("\n").length, 5);
});

Deno.test("as CSV a comparison has a line a row, rows of one side with their numbers", () => {
  const text = comparisonCsv(comparison({
    rows: [ROWS[3]!, { ...NONE, label: "=1+1" }],
    missing: [GONE],
    added: [{ ...GONE, status: "failed", time_us: null }],
  }));
  assertEquals(text.trimEnd().split("\r\n"), [
    "verdict,suite,row_key,label,is_regression,ratio,ratio_low,ratio_high,ratio_of_machine,p,p_rounds," +
    "scatter_pct,scatter_from,baseline_us,candidate_us,baseline_samples,candidate_samples," +
    "baseline_rounds,candidate_rounds,baseline_runs,candidate_runs,reason,warning",
    "slower,kernels,k,one and a half,true,1.5,0.9,1.1,1,0.0009,0.5,1.26,default floor,100,12.3456," +
    "10,20,2,3,1,4,why,",
    "no data,kernels,k,'=1+1,true,,,,1,,,,default floor,,,10,20,2,3,1,4,why,hot",
    "missing,kernels,g,gemm naive,,,,,,,,,,12.3456,,7,,,,,,the baseline is ok,",
    "new,kernels,g,gemm naive,,,,,,,,,,,,,7,,,,,the candidate is failed,",
  ]);
});

Deno.test("a layout is drawn as a table of its ranks, with the groups that communicate", () => {
  const rank = (number: number) => ({
    ...{ rank: number, dataParallelRank: 0, pipelineParallelRank: 1, tensorParallelRank: number },
    ...{ layers: { start: 4, end: 8 }, vocab: { start: 100, end: 200 } },
    heads: { queryStart: 2, queryEnd: 6, kvStart: 1, kvEnd: 3 },
    memory: { weightBytes: 1_250_000, kvCacheBytes: 51_400_000 },
    ...{ tensorParallel: [0, 1], pipelineParallel: [number], dataParallel: [0, number] },
  });
  assertEquals(rankDrawing([rank(0), rank(1)]).split("\n").map((line) => line.trimEnd()), [
    "rank  dp  pp  tp  layers  q heads  kv heads    vocab  weights MB  KV cache MB",
    "   0   0   1   0     4-7      2-5       1-2  100-199         1.3         51.4",
    "   1   0   1   1     4-7      2-5       1-2  100-199         1.3         51.4",
    "",
    "communication groups",
    "  TP  {0,1}  all-reduce in every layer",
    "  PP  {0} {1}  hidden states from stage to stage",
    "  DP  {0,0} {0,1}  nothing",
  ]);
});

Deno.test("shares are said with their interval; nothing tried is no share", () => {
  assertEquals(share(0, 0), { hits: 0, trials: 0, share: NaN, low: 0, high: 1 });
  assertEquals(share(1, 4).share, 0.25);
  assertEquals(
    shareText({ hits: 3, trials: 250, share: 0.012, low: 0.00248, high: 0.0347 }),
    "1.2 % (3 of 250; 0.2 to 3.5 %)",
  );
  assertEquals(shareText(share(0, 0)), "- % (0 of 0; 0.0 to 100.0 %)");
});

Deno.test("a self-test is read as floors, false alarms and what was called", () => {
  const half = { hits: 1, trials: 2, share: 0.5, low: 0.1, high: 0.9 };
  const text = selftestText({
    threshold_pct: 3,
    floor: {
      machine: {},
      floors: { "kernels hot, 1 to 10 ms": { scatter_pct: 1.2345, degrees: 5, rows: 20, runs: 6 } },
    },
    false_alarms: { rows: half, pairs: { ...half, trials: 4 } },
    rates: [
      { slowdown_pct: 5, sides: "interleaved", rows: 8, called_faster: 1, called_slower: 6 },
      { slowdown_pct: 0, sides: "one after another", rows: 0, called_faster: 0, called_slower: 0 },
    ],
  });
  assertEquals(text.split("\n").map((line) => line.trimEnd()), [
    "class of row             rows  runs  two runs apart %",
    "kernels hot, 1 to 10 ms    20     6              1.23",
    "",
    "False alarms: 50.0 % (1 of 2; 10.0 to 90.0 %) of unchanged rows, " +
    "25.0 % (1 of 4; 10.0 to 90.0 %) of pairs of runs.",
    "",
    "sides              slow-down %  rows  slower %  faster %",
    "interleaved                  5     8      75.0      12.5",
    "one after another            0     0         -         -",
    "Slow-downs are injected by lengthening every sample of one side. Interleaved: the samples of one " +
    "run dealt to two sides in turns. One after another: two runs, by the floor of the others. " +
    "Threshold 3 %.",
  ]);
});

Deno.test("simulations are read as a line a machine, blank where nothing was tried", () => {
  const half = { hits: 1, trials: 2, share: 0.5, low: 0.1, high: 0.9 };
  const none = { hits: 0, trials: 0, share: NaN, low: 0, high: 1 };
  const text = simulatedText([
    {
      ...{ machine: "quiet", way: "floor", change: "none" },
      ...{ false_rows: half, false_pairs: half, found: none },
    },
  ]);
  const said = "50.0 % (1 of 2; 10.0 to 90.0 %)";
  assertEquals(text.split("\n").map((line) => line.trimEnd()), [
    `machine  judged by  change${"rows, false".padStart(33)}${"pairs, false".padStart(33)}  found`,
    `quiet        floor    none  ${said}  ${said}`,
  ]);
  assertEquals(coverageText({ walk: half }).split("\n").map((line) => line.trimEnd()), [
    "noise within a run  95 % intervals that hold the median",
    `walk${said.padStart(51)}`,
  ]);
});
