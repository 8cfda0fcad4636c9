import { assertEquals } from "@std/assert";
import {
  cell,
  crossovers,
  isRight,
  isWrong,
  num,
  passes,
  rooflinePoint,
  rowsOf,
  short,
} from "../../../report/page/data.ts";
import { describe, layoutName, layoutWords, sampleNote } from "../../../report/page/row_words.ts";
import { pageOf, rowsLike, runOf } from "./page_rows.ts";

Deno.test("rows of a file are those of all runs in turn, with all headers once", () => {
  const a = runOf("a", { kernels: [{ op: "add", label: "an add" }, { op: "gemm", tokens: "2" }] });
  const b = runOf("b", { kernels: [{ tokens: "3", us: "4" }] });
  const bare = { ...runOf("c"), tables: { kernels: { headers: ["op", "us"], rows: [["x"]] } } };
  const { headers, rows } = rowsOf(pageOf([a, b, runOf("none"), bare]), "kernels");
  assertEquals(headers, ["op", "tokens", "us"]);
  assertEquals(rows, [
    { run: a, label: "an add", cells: { op: "add", tokens: "" } },
    { run: a, label: "", cells: { op: "gemm", tokens: "2" } },
    { run: b, label: "", cells: { tokens: "3", us: "4" } },
    { run: bare, label: "", cells: { op: "x", us: "" } },
  ]);
  assertEquals(rowsOf(pageOf([a]), "plan"), { headers: [], rows: [] });
});

Deno.test("a cell is a text or a number, blank or NaN where there is none; `run` is the run's name", () => {
  const [row] = rowsLike([{ us: "1.5", none: "", run: "a cell" }]);
  assertEquals(["us", "none", "gone", "run"].map((name) => cell(row!, name)), [
    "1.5",
    "",
    "",
    "run",
  ]);
  assertEquals(["us", "none", "gone", "run"].map((name) => num(row!, name)), [1.5, NaN, NaN, NaN]);
});

Deno.test("ok rows and rows without a status are right; wrong and failed ones are wrong", () => {
  const rows = rowsLike([
    ...["ok", "wrong", "failed", "skipped", ""].map((status) => ({ status })),
    {},
  ]);
  assertEquals(rows.map(isRight), [true, false, false, false, false, true]);
  assertEquals(rows.map(isWrong), [false, true, true, false, false, false]);
});

Deno.test("numbers are shown with four digits, small and large ones in powers of ten", () => {
  const shown: readonly (readonly [number, string])[] = [
    [0, "0"],
    [12.3456, "12.35"],
    [-12.3456, "-12.35"],
    [0.001, "0.001"],
    [0.00099, "9.90e-4"],
    [-0.0005, "-5.00e-4"],
    [999_999, "1000000"],
    [123_456, "123500"],
    [1e6, "1.00e+6"],
    [-1e6, "-1.00e+6"],
    [NaN, ""],
    [Infinity, ""],
  ];
  assertEquals(shown.map(([value]) => short(value)), shown.map(([, text]) => text));
});

Deno.test("filters take a text that the cell contains, an equal text, or numbers below and above", () => {
  const [row] = rowsLike([{ op: "GEMM", tokens: "64", none: "" }]);
  const filtered = (header: string, filter: string) => passes(row!, new Map([[header, filter]]));
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["op", "em", true],
    ["op", "EM", true],
    ["op", "gemv", false],
    ["op", "=GEMM", true],
    ["op", "= GEMM", true],
    ["op", "=gemm", false],
    ["op", "=GEM", false],
    ["tokens", "<65", true],
    ["tokens", "< 64", false],
    ["tokens", "<63", false],
    ["tokens", "<100", true],
    ["tokens", ">63", true],
    ["tokens", "> 64", false],
    ["tokens", ">65", false],
    ["tokens", ">7", true],
    ["none", "<1", false],
    ["none", ">-1", false],
    ["none", "=", true],
    ["run", "ru", true],
    ["gone", "x", false],
  ];
  assertEquals(
    cases.map(([header, filter]) => [header, filter, filtered(header, filter)]),
    cases.map((one) => [...one]),
  );
  assertEquals(passes(row!, new Map()), true);
  assertEquals(passes(row!, new Map([["op", "gemm"], ["tokens", ">64"]])), false);
  assertEquals(passes(row!, new Map([["tokens", ">64"], ["op", "gemm"]])), false);
  assertEquals(passes(row!, new Map([["tokens", ">63"], ["op", "gemm"]])), true);
});

Deno.test("crossovers are where the least time changes its algorithm, sizes as numbers", () => {
  const times = (list: readonly (readonly [number, string, number])[]) =>
    crossovers(list.map(([size, algorithm, us]) => ({ size, algorithm, us })));
  assertEquals(times([]), []);
  assertEquals(times([[1, "a", 5]]), []);
  assertEquals(times([[1, "a", 5], [2, "a", 6]]), []);
  // Of equal times the first counts.
  assertEquals(times([[1, "a", 5], [1, "b", 5], [2, "a", 6]]), []);
  assertEquals(
    times([[100, "b", 3], [9, "a", 5], [9, "b", 4], [9, "c", 6], [100, "a", 2], [1000, "c", 1]]),
    [
      { from: 9, to: 100, algorithms: ["b", "a"] },
      { from: 100, to: 1000, algorithms: ["a", "c"] },
    ],
  );
});

Deno.test("a roofline point needs work, bytes and a rate above zero", () => {
  const point = (flops: string, bytes: string, rate_gflops: string) =>
    rooflinePoint(rowsLike([{ flops, bytes, rate_gflops }])[0]!);
  assertEquals(point("200", "50", "3"), [4, 3]);
  assertEquals(point("1", "2", "0.5"), [0.5, 0.5]);
  for (const zeros of [["0", "50", "3"], ["200", "0", "3"], ["200", "50", "0"], ["", "", ""]]) {
    assertEquals(point(zeros[0]!, zeros[1]!, zeros[2]!), undefined);
  }
});

Deno.test("hovering says a row's times and their scatter, and why it is less good", () => {
  const [row, bare] = rowsLike([
    {
      label: "an add",
      time_us_median: "12.3456",
      time_us_ci_low: "12",
      time_us_ci_high: "13",
      time_us_min: "11",
      time_us_p95: "15",
      noise_pct: "2.5",
      samples: "40",
      clock: "gpu",
      reason: "slow",
      warning: "noisy",
    },
    { reason: "" },
  ]);
  assertEquals(describe(row!), [
    "an add",
    "12.35 us, 95 % interval 12 to 13",
    "min 11, p95 15 us, noise 2.5 %",
    "n = 40, gpu clock; click for the samples",
    "reason: slow",
    "warning: noisy",
  ]);
  assertEquals(describe(bare!), [
    "",
    " us, 95 % interval  to ",
    "min , p95  us, noise  %",
    "n = ?,  clock; click for the samples",
  ]);
});

Deno.test("a note says the clocks of rows, and their least and most samples", () => {
  const of = (...cells: Record<string, string>[]) => sampleNote(rowsLike(cells));
  assertEquals(
    of({ samples: "9", clock: "gpu" }, { samples: "10", clock: "host" }, { samples: "0" }, {
      samples: "12",
      clock: "gpu",
    }),
    "gpu and host clock; medians of n = 9 to 12 samples",
  );
  assertEquals(of(), " clock; medians of n = none samples");
  assertEquals(of({ samples: "1", clock: "" }), " clock; medians of n = 1 to 1 samples");
});

Deno.test("a layout is named by its sizes", () => {
  const [row] = rowsLike([
    { tensor_parallel_size: "2", pipeline_parallel_size: "3", data_parallel_size: "4" },
  ]);
  assertEquals([layoutName(row!), layoutWords(row!)], ["TP 2 x PP 3 x DP 4", "tp=2 pp=3 dp=4"]);
});
