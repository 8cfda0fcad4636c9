import { assertEquals } from "@std/assert";
import { columnPoint, type Plot, seriesBy } from "../../../report/page/chart.ts";
import { collectivePlots } from "../../../report/page/collective_plots.ts";
import { historyPlot } from "../../../report/page/history.ts";
import { kernelPlots } from "../../../report/page/kernel_plots.ts";
import { planPlot } from "../../../report/page/plan_plot.ts";
import { describe } from "../../../report/page/row_words.ts";
import { pageOf, rowsLike, runOf } from "./page_rows.ts";

/** The points of a plot's series as [x, y, label], by name and how they are drawn. */
function pointsOf({ series }: Pick<Plot, "series">) {
  return series.map(({ name, how, points }) => [
    name,
    how,
    ...points.map(({ x, y, row }) => row ? [x, y, row.label] : [x, y]),
  ]);
}

/** What a plot says beside its points. */
function wordsOf({ series: _points, describe: _words, ...rest }: Plot) {
  return rest;
}

Deno.test("a series a name, its points from left to right, without those that no axis can show", () => {
  const rows = rowsLike([
    { label: "p", name: "a", x: "10", y: "1" },
    { label: "q", name: "b", x: "1", y: "2" },
    { label: "r", name: "a", x: "9", y: "3" },
    ...["0", "-1", "", "Infinity"].flatMap((odd) => [
      { name: "a", x: odd, y: "1" },
      { name: "b", x: "1", y: odd },
    ]),
  ]);
  const series = seriesBy(rows, (row) => row.cells["name"]!, columnPoint("x", "y"));
  assertEquals(pointsOf({ series }), [
    ["a", "both", [9, 3, "r"], [10, 1, "p"]],
    ["b", "both", [1, 2, "q"]],
  ]);
});

const KERNEL = {
  op: "gemm",
  variant: "naive",
  status: "ok",
  samples: "12",
  clock: "gpu",
  tensor_parallel_size: "2",
};
const KERNELS = [
  {
    ...KERNEL,
    ...{ label: "k0", tokens: "8", time_us_median: "30", rate_gbytes_per_s: "5" },
    ...{ flops: "400", bytes: "100", rate_gflops: "7", speedup_vs_naive: "1" },
  },
  {
    ...KERNEL,
    ...{ label: "k1", tokens: "1", time_us_median: "20", rate_gbytes_per_s: "4" },
    ...{ flops: "100", bytes: "100", rate_gflops: "2", speedup_vs_naive: "1.5" },
  },
  { ...KERNEL, label: "k2", status: "wrong", tokens: "1", time_us_median: "1" },
  { ...KERNEL, label: "k3", op: "add", variant: "vector", tokens: "1", time_us_median: "3" },
];

Deno.test("kernels have a roofline, times, bandwidths and speed-ups, of right rows", () => {
  const run = runOf("a", { kernels: KERNELS }, { ceilings: { gflops: 90, gbytes: 10 } });
  const plots = kernelPlots(rowsLike(KERNELS, run), pageOf([run]));
  assertEquals(plots.map(({ describe: words }) => words === describe), [true, true, true, true]);
  const note = "gpu clock; medians of n = 12 to 12 samples";
  assertEquals(plots.map(wordsOf), [
    { note, title: "Roofline", x: "flop / byte", y: "GFLOP/s", logX: true, logY: true },
    { note, title: "Time by tokens", x: "tokens", y: "us", logX: true, logY: true },
    { note, title: "Bandwidth by tokens", x: "tokens", y: "GB/s (1e9)", logX: true },
    {
      note,
      title: "Speed-up over naive by shard size",
      x: "tensor parallel size",
      y: "times naive",
    },
  ]);
  assertEquals(plots.map(pointsOf), [
    [
      // The knee is at 9 flop a byte; the roof reaches a quarter below and four times above it.
      ["measured ceilings", "line", [1, 10], [9, 90], [36, 90]],
      ["gemm", "points", [1, 2, "k1"], [4, 7, "k0"]],
      ["add", "points"],
    ],
    [
      ["gemm naive tp=2", "both", [1, 20, "k1"], [8, 30, "k0"]],
      ["add vector tp=2", "both", [1, 3, "k3"]],
    ],
    [
      ["gemm naive tp=2", "both", [1, 4, "k1"], [8, 5, "k0"]],
      ["add vector tp=2", "both"],
    ],
    [
      ["gemm naive tokens=8", "both", [2, 1, "k0"]],
      ["gemm naive tokens=1", "both", [2, 1.5, "k1"]],
      ["add vector tokens=1", "both"],
    ],
  ]);
});

Deno.test("each run has its own roof, as far as the points; none without ceilings or points", () => {
  const point = (flops: string) => ({ op: "o", flops, bytes: "1", rate_gflops: "1" });
  const of = (gflops: number, name: string) =>
    runOf(name, {}, { ceilings: { gflops, gbytes: 10 } });
  const roofs = (flops: readonly string[], runs = [of(80, "a"), runOf("none"), of(40, "b")]) =>
    pointsOf(kernelPlots(rowsLike(flops.map(point)), pageOf(runs))[0]!)
      .filter(([, how]) => how === "line");
  assertEquals(roofs(["1", "5", "100"]), [
    ["measured ceilings, a", "line", [1, 10], [8, 80], [100, 80]],
    ["measured ceilings, b", "line", [1, 10], [4, 40], [100, 40]],
  ]);
  assertEquals(roofs(["7"], [of(80, "a")]), [
    ["measured ceilings", "line", [2, 20], [8, 80], [32, 80]],
  ]);
  assertEquals(roofs([]), []);
  assertEquals(roofs(["7"], [of(80, "a"), of(80, "b")]).map(([name]) => name), [
    ...["measured ceilings, a", "measured ceilings, b"],
  ]);
});

const COLLECTIVE = {
  ...{ op: "all_reduce", transport: "workers", memory: "host", logical_ranks: "2" },
  ...{ samples: "5", clock: "host", status: "ok" },
};
const collective = (algorithm: string, size: string, us: string, more = {}) => ({
  ...COLLECTIVE,
  ...{ label: `${algorithm} ${size}`, algorithm, message_bytes: size, time_us_median: us },
  busbw_gbytes_per_s: "3",
  ...more,
});

Deno.test("collectives have times with the fitted link, and bandwidths, by operation and layout", () => {
  const rows = [
    collective("ring", "65536", "10"),
    collective("ring", "4096", "5"),
    collective("one_shot", "4096", "4"),
    collective("one_shot", "65536", "20"),
    collective("auto", "4096", "1"),
    collective("ring", "1", "1", { status: "failed" }),
    collective("ring", "8", "7", { logical_ranks: "4" }),
  ];
  const link = { transport: "workers", memory: "host", ranks: "2" };
  const fit = { alpha_us: "2", bandwidth_gbytes_per_s: "0.5" };
  const run = runOf("a", {
    links: [
      ...[{ ...link, transport: "mpi" }, { ...link, memory: "gpu" }, { ...link, ranks: "3" }]
        .map((other) => ({ ...other, alpha_us: "99", bandwidth_gbytes_per_s: "1" })),
      { ...link, ...fit },
    ],
  });
  const plots = collectivePlots(rowsLike(rows, run), pageOf([run]));
  const note = "host clock; medians of n = 5 to 5 samples";
  const common = { note, x: "message bytes", logX: true, logY: true };
  const two = "all_reduce, workers, host, 2 ranks";
  assertEquals(plots.map(wordsOf), [
    {
      ...common,
      note: `${note}; one_shot is fastest up to 4096 B, ring from 65536 B`,
      title: `${two}: latency`,
      y: "us",
    },
    { ...common, title: `${two}: bus bandwidth`, y: "GB/s (1e9)" },
    { ...common, title: "all_reduce, workers, host, 4 ranks: latency", y: "us" },
    { ...common, title: "all_reduce, workers, host, 4 ranks: bus bandwidth", y: "GB/s (1e9)" },
  ]);
  assertEquals(plots.map(({ describe: words }) => words === describe), plots.map(() => true));
  assertEquals(plots.map(pointsOf), [
    [
      ["ring", "both", [4096, 5, "ring 4096"], [65536, 10, "ring 65536"]],
      ["one_shot", "both", [4096, 4, "one_shot 4096"], [65536, 20, "one_shot 65536"]],
      ["auto", "both", [4096, 1, "auto 4096"]],
      // 2 us and size / 500 bytes a us.
      ["alpha + size / beta of one send", "line", [4096, 10.192], [65536, 133.072]],
    ],
    [
      ["ring", "both", [4096, 3, "ring 4096"], [65536, 3, "ring 65536"]],
      ["one_shot", "both", [4096, 3, "one_shot 4096"], [65536, 3, "one_shot 65536"]],
      ["auto", "both", [4096, 3, "auto 4096"]],
    ],
    [["ring", "both", [8, 7, "ring 8"]]],
    [["ring", "both", [8, 3, "ring 8"]]],
  ]);
});

Deno.test("a plan is drawn against what was measured, with the line of right predictions", () => {
  const layout = {
    tensor_parallel_size: "1",
    pipeline_parallel_size: "2",
    data_parallel_size: "1",
    schedule: "step",
  };
  const row = (predicted: string, measured: string, more = {}) => ({
    ...layout,
    label: predicted,
    predicted_output_tokens_per_s: predicted,
    measured_output_tokens_per_s: measured,
    ...more,
  });
  const rows = rowsLike([
    row("60", "50", { error_pct: "20", why: "memory" }),
    row("70", ""),
    row("80", "0"),
    row("30", "40"),
  ]);
  const plot = planPlot(rows);
  assertEquals(wordsOf(plot), {
    title: "Plan against measurement",
    x: "predicted tokens/s",
    y: "measured tokens/s",
    note: "2 of 4 layouts were measured",
  });
  assertEquals(pointsOf(plot), [
    ["layouts", "points", [60, 50, "60"], [30, 40, "30"]],
    ["as predicted", "line", [0.06, 0.06], [60, 60]],
  ]);
  assertEquals(rows.slice(0, 2).map(plot.describe), [
    ["tp=1 pp=2 dp=1 step", "predicted 60, measured 50 tokens/s, error 20 %", "memory"],
    ["tp=1 pp=2 dp=1 step", "predicted 70, measured  tokens/s, error undefined %", ""],
  ]);
  assertEquals(pointsOf(planPlot(rows.slice(1, 3))), [
    ["layouts", "points"],
    ["as predicted", "line"],
  ]);
  assertEquals(planPlot(rowsLike([row("0.2", "0.5")])).series[1]!.points.at(-1), { x: 1, y: 1 });
});

Deno.test("history joins a row's numbers over runs, where several have it", () => {
  const row = (row_key: string, us: string, status = "ok") => ({
    row_key,
    label: `row ${row_key}, ${us} us`,
    us,
    status,
  });
  const runs = [
    runOf("a", { kernels: [row("1", "10"), row("2", "20"), row("3", "30")] }),
    runOf("b", { kernels: [row("2", "0.5"), row("1", "0"), row("3", "1", "wrong")] }),
    runOf("c", { kernels: [row("1", "12"), row("4", "1")] }),
  ];
  const plot = historyPlot(pageOf(runs), "kernels", "us");
  assertEquals(wordsOf(plot), {
    title: "us over runs",
    x: "run, oldest first",
    y: "us",
    logY: true,
    note: "2 rows that several runs have: 1 = a's start, 2 = b's start, 3 = c's start",
  });
  assertEquals(plot.describe, describe);
  assertEquals(pointsOf(plot), [
    ["row 1, 10 us", "both", [1, 10, "row 1, 10 us"], [3, 12, "row 1, 12 us"]],
    ["row 2, 20 us", "both", [1, 20, "row 2, 20 us"], [2, 0.5, "row 2, 0.5 us"]],
  ]);
});
