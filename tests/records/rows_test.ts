import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { readRows } from "../../records/files/csv_rows.ts";
import { type Cells, formatCell, type Series } from "../../records/rows/column.ts";
import { deriveRows, type SampledRow } from "../../records/rows/derive_rows.ts";
import { LINK_COLUMNS } from "../../records/rows/link_columns.ts";
import { RANK_COLUMNS } from "../../records/rows/rank_columns.ts";
import { columnsOf, label, rowKey } from "../../records/rows/row.ts";
import { type Suite, SUITES } from "../../records/rows/suite.ts";
import { CsvWriter } from "../../records/run_folder/csv_writer.ts";
import { readSamples } from "../../records/run_folder/sample_record.ts";
import { inFolder } from "../in_folder.ts";
import golden from "./golden_rows.json" with { type: "json" };

const REFERENCE = new URL("../../results/reference/", import.meta.url).pathname;

const FILES = { links: LINK_COLUMNS, ranks: RANK_COLUMNS } as const;

for (const file of [...SUITES, "links", "ranks"] as const) {
  Deno.test(`${file}.csv starts with the promised columns, in order`, () => {
    const columns = file === "links" || file === "ranks" ? FILES[file] : columnsOf(file);
    const path = new URL(`promised/${file}.csv`, import.meta.url);
    const promised = Deno.readTextFileSync(path).trim().split(",");
    assertEquals(columns.map(({ header }) => header).slice(0, promised.length), promised);
  });
}

/** Rows with their samples, and what plain arithmetic outside this program makes of them. */
interface GoldenRow {
  readonly row: Cells;
  readonly series: Series;
  readonly expected: Readonly<Record<string, string>>;
}

for (const suite of SUITES) {
  Deno.test(`${suite}: columns compute what was computed by hand, and nothing else`, () => {
    const rows = golden[suite] as unknown as readonly GoldenRow[];
    const derived = columnsOf(suite).filter(({ derive }) => derive).map(({ header }) => header);
    for (const [i, { row }] of deriveRows(suite, rows).entries()) {
      const cells = Object.fromEntries(derived.map((header) => [header, formatCell(row[header])]));
      assertEquals(cells, rows[i]!.expected, `row ${i}`);
      for (const [header, cell] of Object.entries(rows[i]!.row)) assertEquals(row[header], cell);
    }
  });

  Deno.test(`${suite}: the reference file comes out byte for byte from samples and measured cells`, () => {
    const { rows } = readRows(`${REFERENCE}${suite}.csv`);
    const samples = readSamples(`${REFERENCE}samples.jsonl`);
    const blank = Object.fromEntries(
      columnsOf(suite).filter(({ derive }) => derive).map(({ header }) => [header, undefined]),
    );
    const measured = rows.map((row): SampledRow<Cells> => {
      const { series, facts } = samples.get(row["row_key"]!)!;
      return { row: { ...row, ...blank, row_key: undefined }, series, facts };
    });
    return inFolder((folder) => {
      {
        using csv = new CsvWriter(folder, { suite });
        for (const { row } of deriveRows(suite, measured)) csv.write(row);
      }
      assertEquals(
        Deno.readTextFileSync(`${folder}/${suite}.csv`),
        Deno.readTextFileSync(`${REFERENCE}${suite}.csv`),
      );
    });
  });
}

Deno.test("a speed-up refers to the better of the naive rows that are right", () => {
  const naive = (admission: string, wallMs: number, status = "ok") => ({
    row: { schedule: "step", max_concurrent_batches: 1, admission, status } as Cells,
    series: { host_us: [1000 * wallMs], wall_ms: [wallMs] },
  });
  const queue = {
    row: { ...naive("split", 0).row, schedule: "step_with_batch_queue", max_concurrent_batches: 2 },
    series: { host_us: [1], wall_ms: [10] },
  };
  const other = {
    ...naive("greedy", 1),
    row: { ...naive("greedy", 1).row, router: "round_robin" },
  };
  const speedUps = (...rows: readonly { row: Cells; series: Series }[]) =>
    deriveRows<Cells>("schedules", [...rows, other]).slice(0, rows.length)
      .map(({ row }) => row["speedup_vs_step"]);
  assertEquals(speedUps(queue, naive("split", 20), naive("greedy", 15)), [1.5, 0.75, 1]);
  assertEquals(speedUps(queue, naive("greedy", 15), naive("split", 12)), [1.2, 0.8, 1]);
  assertEquals(speedUps(queue, naive("split", 20), naive("greedy", 15, "wrong")), [
    2,
    1,
    undefined,
  ]);
  assertEquals(speedUps(queue), [undefined]);
  // Among rows that were measured before.
  const [greedy] = deriveRows<Cells>("schedules", [naive("greedy", 15)]);
  const before = new Map([[String(greedy!.row["row_key"]), greedy!]]);
  const [late] = deriveRows<Cells>("schedules", [queue], before);
  assertEquals(late!.row["speedup_vs_step"], 1.5);
});

Deno.test("a row without samples keeps its cells and gets its key", () => {
  const row: Cells = { op: "ffn", status: "skipped", samples: 0, reason: "too large" };
  const [one] = deriveRows("kernels", [{ row, series: { gpu_us: [], host_us: [] } }]);
  assertEquals(one!.row, { ...row, suite: "kernels", row_key: rowKey("kernels", row) });
});

Deno.test("the 99th percentile is there from 100 samples on", () => {
  const host_us = Array.from({ length: 100 }, (_, i) => 100 - i);
  const p99 = (times: readonly number[]) =>
    deriveRows<Cells>("kernels", [{ row: {}, series: { host_us: times } }])[0]!.row["time_us_p99"];
  assertEquals([p99(host_us), p99(host_us.slice(1))], [99.01, undefined]);
});

Deno.test("labels of cases are the lines that filters match, and rows add what is not usual", () => {
  const [kernel] = golden.kernels;
  const { variant: _v, mode: _m, model: _n, ...kernelCase } = kernel!.row;
  assertEquals(label("kernels", kernelCase), "ffn float32 tp=2 tokens=9 context=16");
  assertEquals(
    label("kernels", { ...kernel!.row, mode: "cold", tensor_parallel_rank: 1 }),
    "ffn float32 best cold tp=2 rank=1 tokens=9 context=16 tiny",
  );
  const [collective] = golden.collectives;
  assertEquals(
    label("collectives", collective!.row),
    "all_reduce ring workers host ranks=2 bytes=4096",
  );
  const { schedule, ...sizes } = golden.schedules[0]!.row;
  assertEquals(
    label("schedules", {
      schedule,
      tensor_parallel_size: sizes.tensor_parallel_size,
      pipeline_parallel_size: sizes.pipeline_parallel_size,
      data_parallel_size: sizes.data_parallel_size,
      max_concurrent_batches: sizes.max_concurrent_batches,
      admission: "split",
      head_exchange: "argmax",
      sliced_sends: true,
      layout_order: "megatron",
      stage_layers: "3 1",
    }),
    "step_with_batch_queue tp=1 pp=2 dp=1 depth=2 split argmax sliced_sends megatron layers=3,1",
  );
});

/** Values that key columns have in runs; those of numbers are alike on purpose. */
const TEXTS: Readonly<Record<string, readonly (string | boolean)[]>> = {
  model: ["tiny", "tiny+86ed9b"],
  dtype: ["float32", "float16", "int8"],
  op: ["ffn", "argmax", "all_reduce", "gather"],
  variant: ["naive", "best", "online"],
  mode: ["hot", "cold"],
  algorithm: ["ring", "auto", "native"],
  transport: ["workers", "same_device", "mpi"],
  memory: ["host", "device"],
  schedule: ["step", "step_with_batch_queue"],
  arrivals: ["at once", "trace", "poisson 100/s", "poisson 10/s"],
  admission: ["greedy", "split"],
  head_exchange: ["all_gather", "gather", "argmax"],
  sliced_sends: [false, true],
  router: ["least_loaded", "round_robin"],
  layout_order: ["vllm", "megatron"],
  stage_layers: ["even", "1 2", "2 1", "12"],
  threads_per_rank: ["shared out", "1", "2"],
};

/** Rows of a suite: some at random, and each of their neighbours that differ in one key column. */
function generated(suite: Suite): readonly Cells[] {
  const columns = columnsOf(suite).filter(({ key, header }) => key && header !== "suite");
  const values = (header: string) => TEXTS[header] ?? [0, 1, 2, 4];
  let state = 1;
  const random = (most: number) =>
    Math.floor(most * (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32);
  return Array.from({ length: 100 }).flatMap(() => {
    const row = Object.fromEntries(
      columns.map(({ header }) => [header, values(header)[random(values(header).length)]]),
    );
    return columns.flatMap(({ header }) =>
      values(header).map((value) => ({ ...row, [header]: value }))
    );
  });
}

Deno.test("rows of different keys have different labels, and rows of one key have one", () => {
  for (const suite of SUITES) {
    const rows = generated(suite);
    const labels = new Map(rows.map((row) => [rowKey(suite, row), label(suite, row)]));
    assert(labels.size > 1000, `${suite}: ${labels.size} keys`);
    assertEquals(new Set(labels.values()).size, labels.size, suite);
    for (const key of labels.keys()) assertMatch(key, /^[g-z][0-9a-f]{12}$/, "no number");
    for (const row of rows) assertEquals(labels.get(rowKey(suite, row)), label(suite, row));
  }
});

Deno.test("a collective's ranks are part of its key, and a kernel's are not", () => {
  const [a, b] = [{ logical_ranks: 2 }, { logical_ranks: 3 }];
  assertNotEquals(rowKey("collectives", a), rowKey("collectives", b));
  assertEquals(rowKey("kernels", a), rowKey("kernels", b));
});
