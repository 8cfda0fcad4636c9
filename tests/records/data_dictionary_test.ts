import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import papaparse from "papaparse";
import { columnsJson, dataDictionary } from "../../records/rows/data_dictionary.ts";
import { columnsOf } from "../../records/rows/row.ts";
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
