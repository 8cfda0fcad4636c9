import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import papaparse from "papaparse";
import { columnsJson, dataDictionary } from "../../records/rows/data_dictionary.ts";
import { readRows } from "../../records/files/csv_rows.ts";
import { LINK_COLUMNS } from "../../records/rows/link_columns.ts";
import { RANK_COLUMNS } from "../../records/rows/rank_columns.ts";
import { columnsOf } from "../../records/rows/row.ts";
import { SUITES } from "../../records/rows/suite.ts";
import { CsvWriter } from "../../records/run_folder/csv_writer.ts";

const results = new URL("../../results/", import.meta.url);

Deno.test("results/README.md is what the columns say", () => {
  assertEquals(Deno.readTextFileSync(new URL("README.md", results)), dataDictionary());
});

Deno.test("results/columns.json is what the columns say, for programs", () => {
  assertEquals(Deno.readTextFileSync(new URL("columns.json", results)), columnsJson());
  const { files } = JSON.parse(columnsJson());
  assertEquals(
    files["schedules.csv"].map(({ header }: { header: string }) => header),
    columnsOf("schedules").map(({ header }) => header),
  );
});

/** Texts that are lists of whole numbers: a list of one is read as that number, and means it. */
const LISTS =
  /^(tensor_parallel_group|pipeline_parallel_group|data_parallel_group|stage_layers|threads_per_rank)$/;

/** What readers take for truth values, for nothing, and for dates and times. */
const OTHER_TYPES =
  /^(true|false|[tfyn]|yes|no|null|none|nan|na|n\/a|inf|infinity|\d+[-/.:]\d+([-/.:]\d+)?)$/i;

Deno.test("no reader takes a text cell for a number, a truth value or nothing", () => {
  const files = {
    ...Object.fromEntries(SUITES.map((suite) => [suite, columnsOf(suite)])),
    links: LINK_COLUMNS,
    ranks: RANK_COLUMNS,
  };
  for (const [file, columns] of Object.entries(files)) {
    const { rows } = readRows(new URL(`reference/${file}.csv`, results).pathname);
    const texts = columns.filter(({ kind, header }) => kind === "text" && !LISTS.test(header));
    assert(rows.length > 0 && texts.length > 0, file);
    for (const { header } of texts) {
      const cells = rows.map((row) => row[header]!).filter((cell) => cell !== "");
      for (const cell of cells) {
        const isOther = !isNaN(Number(cell)) || OTHER_TYPES.test(cell);
        assert(!isOther, `${file}.csv ${header}: ${cell}`);
      }
    }
  }
});

Deno.test("other readers take the files without options: types by value, and a database's table", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const row = {
      suite: "kernels",
      row_key: "abc",
      op: "gemm, with a comma",
      reason: 'a "quoted" line\nand another',
      variant: "=cmd()",
      tokens: 64,
      time_us_median: 12.5,
      noise_pct: undefined,
    };
    {
      using csv = new CsvWriter(folder, { suite: "kernels" });
      csv.write(row);
      csv.write({ ...row, row_key: "abd", tokens: 1 });
    }
    const text = await Deno.readTextFile(`${folder}/kernels.csv`);
    const { data, errors } = papaparse.parse<Record<string, unknown>>(text, {
      header: true,
      dynamicTyping: true,
      skipEmptyLines: true,
    });
    assertEquals(errors, []);
    assertEquals(
      data.map((r: Record<string, unknown>) => [r["tokens"], r["time_us_median"], r["noise_pct"]]),
      [
        [64, 12.5, null],
        [1, 12.5, null],
      ],
    );
    assertEquals([data[0]!["op"], data[0]!["reason"]], [row.op, row.reason]);
    assertEquals(data[0]!["variant"], "'=cmd()", "no formula");
    // The headers are names that a database takes unquoted, and the values keep their order.
    using database = new DatabaseSync(":memory:");
    const headers = columnsOf("kernels").map(({ header }) => header);
    database.exec(`create table kernels (${headers.map((h) => `${h} numeric`).join(", ")})`);
    const insert = database.prepare(
      `insert into kernels values (${headers.map(() => "?").join()})`,
    );
    for (const r of data) insert.run(...headers.map((header) => (r[header] ?? null) as string));
    const [sum] = database.prepare("select sum(tokens) as n, max(time_us_median) as t from kernels")
      .all();
    assertEquals([sum!["n"], sum!["t"]], [65, 12.5]);
    assert(headers.every((header) => /^[a-z][a-z0-9_]*$/.test(header)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
