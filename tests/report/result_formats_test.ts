import { assertEquals } from "@std/assert";
import type { CollectiveRow, KernelRow, ScheduleRow } from "../../records/rows/row.ts";
import type { SuiteRows } from "../../records/rows/suite_rows.ts";
import { resultsCsv, resultsJson, resultsMarkdown } from "../../report/result_formats.ts";
import { drawTable, resultTables } from "../../report/result_table.ts";
import { inFolder } from "../in_folder.ts";

const KERNEL = {
  ...{ run_id: "run-1", adapter: "an adapter", adapter_type: "software", status: "ok" },
  ...{ op: "gemm", variant: "naive", dtype: "float32", mode: "hot", tensor_parallel_size: 2 },
  ...{ tokens: 16, context: 256, time_us_median: 12.345, noise_pct: 1.26, rate_gflops: 3.456 },
  ...{ rate_gbytes_per_s: 4.567, ceiling_pct: 50.04, speedup_vs_naive: 1.26, wrong_elements: 0 },
} as KernelRow;

const COLLECTIVE = {
  ...{ run_id: "run-1", adapter: "", status: "ok", op: "all_reduce", algorithm: "auto" },
  ...{ chosen_algorithm: "ring", transport: "workers", memory: "host", logical_ranks: 2 },
  ...{ message_bytes: 4096, elements: 1024, dtype: "float32", time_us_median: 12.34 },
  ...{ noise_pct: 1.26, algbw_gbytes_per_s: 1.23456, busbw_gbytes_per_s: 2.34567, skew_pct: 12.6 },
  ...{ overlap_pct: 40.4, wrong_elements: 0 },
} as CollectiveRow;

const SCHEDULE = {
  ...{ run_id: "run-1", adapter: "b", adapter_type: "cpu", status: "ok", schedule: "step" },
  ...{ tensor_parallel_size: 1, pipeline_parallel_size: 2, data_parallel_size: 3 },
  ...{ max_concurrent_batches: 4, wall_ms: 100.04, output_tokens_per_s: 61.506 },
  ...{ ttft_ms_median: 5.04, tpot_ms_median: 6.004, busy_pct: 80.04, ceiling_pct: 70.04 },
  ...{ speedup_vs_step: 1.004, token_mismatches: 0 },
} as ScheduleRow;

const ROWS: SuiteRows = { kernels: [KERNEL], collectives: [COLLECTIVE], schedules: [SCHEDULE] };
const NONE: SuiteRows = { kernels: [], collectives: [], schedules: [] };

Deno.test("tables have their columns in order, numbers with their digits, and nothing for what is not known", () => {
  const tables = resultTables(ROWS).map(({ header, textColumns, body }) => [
    textColumns,
    ...header.map((title, i) => `${title}: ${body[0]![i]}`),
  ]);
  assertEquals(tables, [
    [
      ...[3, "op: gemm", "variant: naive", "mode: hot", "tp: 2", "tokens: 16", "context: 256"],
      ...["us: 12.3", "+-%: 1.3", "GFLOP/s: 3.46", "GB/s: 4.57", "ceiling %: 50.0", "x naive: 1.3"],
      ...["wrong: 0", "status: ok", "note: "],
    ],
    [
      ...[4, "op: all_reduce", "algorithm: auto (ring)", "transport: workers", "memory: host"],
      ...["ranks: 2", "size B: 4096", "count: 1024", "type: float32", "time us: 12.3", "+-%: 1.3"],
      ...["algbw GB/s: 1.235", "busbw GB/s: 2.346", "skew %: 13", "overlap %: 40", "#wrong: 0"],
      ...["status: ok", "note: "],
    ],
    [
      ...[1, "schedule: step", "tp: 1", "pp: 2", "dp: 3", "depth: 4", "wall ms: 100.0"],
      ...["tokens/s: 61.51", "TTFT ms: 5.0", "TPOT ms: 6.00", "busy %: 80.0", "ceiling %: 70.0"],
      ...["x step: 1.00", "mismatches: 0", "status: ok", "note: "],
    ],
  ]);
  const bare = { op: "add", variant: "v", mode: "hot", reason: "why", warning: "hot" } as KernelRow;
  const [table] = resultTables({ ...NONE, kernels: [bare] });
  assertEquals(table!.body[0]!.slice(6), ["", "", "", "", "", "", "", "", "why"]);
  const ring = { ...COLLECTIVE, algorithm: "ring", chosen_algorithm: undefined } as CollectiveRow;
  assertEquals(resultTables({ ...NONE, collectives: [ring] })[0]!.body[0]![1], "ring");
  assertEquals(resultTables(NONE), []);
});

Deno.test("rows are sorted by what they are of, numbers as numbers; the best of each group is marked", () => {
  const kernel = (variant: string, tokens: number, us: number, more = {}) =>
    ({ ...KERNEL, variant, tokens, time_us_median: us, ...more }) as KernelRow;
  const kernels = [
    kernel("b", 128, 9),
    kernel("a", 128, 10),
    kernel("a", 16, 3),
    kernel("b", 16, 1, { status: "wrong" }),
    kernel("c", 16, 2),
    kernel("d", 16, 2),
    kernel("a", 2, 5),
    kernel("a", 16, 1, { op: "add" }),
    kernel("a", 16, 1, { op: "add", mode: "cold" }),
  ];
  const [table] = resultTables({ ...NONE, kernels });
  assertEquals(table!.body.map((line) => [line[0], line[1], line[4], line[6]].join(" ")), [
    "add a 16 1.0",
    "add a 16 1.0",
    "gemm a 2 5.0",
    "gemm a 16 3.0",
    "gemm b 16 1.0",
    "gemm c 16 * 2.0",
    "gemm d 16 2.0",
    "gemm a 128 10.0",
    "gemm b 128 * 9.0",
  ]);
  const collective = (algorithm: string, message_bytes: number, us: number, logical_ranks = 2) =>
    ({
      ...COLLECTIVE,
      algorithm,
      message_bytes,
      time_us_median: us,
      logical_ranks,
    }) as CollectiveRow;
  const collectives = [
    collective("ring", 65536, 5),
    collective("ring", 4096, 2),
    collective("one_shot", 65536, 7),
    collective("one_shot", 4096, 1),
    collective("one_shot", 4096, 0.5, 16),
  ];
  const [sizes] = resultTables({ ...NONE, collectives });
  assertEquals(sizes!.body.map((line) => [line[4], line[5], line[8]].join(" ")), [
    ...["2 4096 * 1.0", "2 4096 2.0", "2 65536 7.0", "2 65536 * 5.0", "16 4096 0.5"],
  ]);
  const schedule = (name: string, wall_ms: number, pipeline_parallel_size: number) =>
    ({ ...SCHEDULE, schedule: name, wall_ms, pipeline_parallel_size }) as ScheduleRow;
  const schedules = [schedule("z", 5, 1), schedule("y", 4, 1), schedule("x", 1, 2)];
  const [layouts] = resultTables({ ...NONE, schedules });
  assertEquals(layouts!.body.map((line) => [line[0], line[5]].join(" ")), [
    ...["z 5.0", "y * 4.0", "x 1.0"],
  ]);
});

Deno.test("a narrow terminal does without some columns, the least needed ones first", () => {
  const headers = (suite: keyof SuiteRows, width: number) =>
    drawTable(suite, ROWS, width).split("\n")[0]!.trim().split(/ {2,}/);
  const widthOf = (suite: keyof SuiteRows, width: number) =>
    Math.max(...drawTable(suite, ROWS, width).split("\n").map((line) => line.trimEnd().length));
  const whole = widthOf("kernels", Infinity);
  assertEquals(headers("kernels", whole).at(-1), "note");
  assertEquals(headers("kernels", whole - 1).at(-1), "status");
  for (
    const [suite, left] of [
      ["kernels", ["op", "variant", "tp", "tokens", "us", "ceiling %", "x naive", "status"]],
      [
        "collectives",
        [
          "op",
          "algorithm",
          "transport",
          "memory",
          "ranks",
          "size B",
          "time us",
          "busbw GB/s",
          "status",
        ],
      ],
      ["schedules", ["schedule", "tp", "pp", "dp", "depth", "tokens/s", "x step", "status"]],
    ] as const
  ) {
    assertEquals(headers(suite, 0), [...left]);
  }
  assertEquals(drawTable("schedules", ROWS, 0).split("\n").map((line) => line.trimEnd()), [
    "schedule  tp  pp  dp  depth  tokens/s  x step  status",
    "step       1   2   3      4     61.51    1.00      ok",
  ]);
});

Deno.test("a summary in Markdown counts rows, says what they ran on, and has a table a suite", () => {
  const wrong = { ...KERNEL, status: "wrong", reason: "3 | 4" } as KernelRow;
  const skipped = { ...SCHEDULE, status: "skipped", adapter: undefined } as unknown as ScheduleRow;
  const text = resultsMarkdown({
    ...ROWS,
    kernels: [KERNEL, wrong],
    schedules: [SCHEDULE, skipped],
  });
  const lines = text.split("\n");
  assertEquals(lines.slice(0, 7), [
    "**5 rows: 3 ok, 1 wrong, 0 failed, 1 skipped**",
    "",
    `Run run-1; an adapter (software), b (cpu); Deno ${Deno.version.deno}, ${Deno.build.os}`,
    "",
    "| op | variant | mode | tp | tokens | context | us | +-% | GFLOP/s | GB/s | ceiling % | x naive | wrong | status | note |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    "| gemm | naive | hot | 2 | 16 | 256 | 12.3 | 1.3 | 3.46 | 4.57 | 50.0 | 1.3 | 0 | ok |  |",
  ]);
  assertEquals(lines[7]!.slice(-18), "| wrong | 3 \\| 4 |");
  assertEquals(lines[8], "");
  assertEquals(lines.filter((line) => line.startsWith("| ---")).length, 3);
  assertEquals(lines.at(-1)!.startsWith("| step |"), true);
  assertEquals(resultsMarkdown(NONE).split("\n").slice(0, 3), [
    "**0 rows: 0 ok, 0 wrong, 0 failed, 0 skipped**",
    "",
    `Run ; ; Deno ${Deno.version.deno}, ${Deno.build.os}`,
  ]);
});

Deno.test("results are one JSON object by suite, or the CSV files one after another", () =>
  inFolder((folder) => {
    const parsed = JSON.parse(resultsJson(ROWS, ["a.csv"]));
    assertEquals(Object.keys(parsed), ["kernels", "collectives", "schedules", "files"]);
    assertEquals([parsed.kernels[0].op, parsed.files], ["gemm", ["a.csv"]]);
    assertEquals(resultsJson(NONE, []).split("\n")[1], '  "kernels": [],');
    for (const name of ["a", "b"]) Deno.writeTextFileSync(`${folder}/${name}.csv`, `${name},1\r\n`);
    assertEquals(resultsCsv([`${folder}/a.csv`, `${folder}/b.csv`]), "a,1\n\nb,1");
  }));
