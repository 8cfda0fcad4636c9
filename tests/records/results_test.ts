import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import papaparse from "papaparse";
import { AppendFile } from "../../records/files/append_file.ts";
import { loadConfig } from "../../config/config.ts";
import { ConfigError } from "../../config/config_error.ts";
import { readRows } from "../../records/files/csv_rows.ts";
import { CsvWriter } from "../../records/run_folder/csv_writer.ts";
import { rowKey } from "../../records/rows/row.ts";
import { FileError } from "../../records/files/file_error.ts";
import { inFolder } from "../in_folder.ts";
import { configJsonSchema } from "../../_tools/write_schema.ts";

const QUICK = new URL("../../configs/quick.json", import.meta.url).pathname;

Deno.test("rows round-trip through another reader: quotes, commas, newlines, formulas", () =>
  inFolder((folder) => {
    const reasons = [
      'a "quoted", text',
      "two\nlines",
      "=1+1",
      "+x",
      "-y",
      "@z",
      "a\rb",
      "plain",
      "",
    ];
    {
      using csv = new CsvWriter(folder, { suite: "kernels" });
      for (const [i, reason] of reasons.entries()) {
        csv.write({ row_key: `k${i}`, reason, time_us_median: -1.5 });
      }
    }
    const text = Deno.readTextFileSync(`${folder}/kernels.csv`);
    const other: { data: Record<string, string>[]; errors: unknown[] } = papaparse.parse(text, {
      header: true,
      skipEmptyLines: true,
    });
    assertEquals(other.errors.length, 0);
    const seen = other.data.map((row) => row["reason"] ?? "");
    assertEquals(seen.length, reasons.length);
    for (const [i, cell] of seen.entries()) {
      assert(!/^[=+\-@\t\r]/.test(cell), cell);
      assertEquals(
        cell.replace(/^'/, "").replaceAll("\r\n", "\n"),
        reasons[i]!.replace("\r", "\n"),
      );
    }
    assertEquals(other.data[0]!["time_us_median"], "-1.5");
    assertEquals(readRows(`${folder}/kernels.csv`).rows.map((row) => row["reason"])[2], "=1+1");
  }));

Deno.test("a row that was cut off is dropped, and a resumed file knows the finished keys", () =>
  inFolder((folder) => {
    const path = `${folder}/kernels.csv`;
    {
      using csv = new CsvWriter(folder, { suite: "kernels" });
      for (const row_key of ["a", "b", "c"]) csv.write({ row_key });
    }
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, text.slice(0, -20));
    using csv = new CsvWriter(folder, { suite: "kernels" });
    assertEquals([...csv.rows.keys()], ["a", "b"]);
    csv.write({ row_key: "d" });
    assertEquals(readRows(path).rows.map((row) => row["row_key"]), ["a", "b", "d"]);
  }));

Deno.test("a full disk is an error that names the file, and leaves no half row", () => {
  let length = 5;
  let position = 0;
  const full = {
    writeSync(bytes: Uint8Array) {
      const room = 8 - position;
      if (room <= 0) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      const count = Math.min(room, bytes.length);
      length = Math.max(length, position += count);
      return count;
    },
    truncateSync: (to = 0) => void (length = to),
    seekSync: (to: number | bigint) => position = Number(to),
    syncDataSync() {},
    close() {},
  };
  using file = new AppendFile("out/kernels.csv", { file: full, lengthBytes: 5 });
  const error = assertThrows(() => file.append("x".repeat(10)), FileError, "out/kernels.csv");
  assert(error.message.includes("the disk is full"));
  assertEquals(length, 5);
});

Deno.test("the row key depends on the independent variables only", () => {
  const key = {
    suite: "kernels",
    model: "m",
    dtype: "float32",
    op: "ffn",
    variant: "best",
    mode: "hot",
    tensor_parallel_size: 1,
    tensor_parallel_rank: 0,
    tokens: 1,
    context: 16,
  };
  assertEquals(rowKey("kernels", key), rowKey("kernels", { ...key }));
  assert(rowKey("kernels", key) !== rowKey("kernels", { ...key, tokens: 2 }));
});

Deno.test("all errors of a configuration come at once, with path and nearest legal sizes", async () => {
  const set = [
    "kernels.tokens=[0]",
    "kernels.tensor_parallel_sizes=[3]",
    'measure.modes=["warm"]',
    "dtype=float64",
    "bogus=1",
  ];
  const error = await assertRejects(() => loadConfig(QUICK, { set }), ConfigError);
  const paths = error.problems.map((problem) => problem.path).join(" ");
  for (const path of ["kernels.tokens", "measure.modes", "dtype", "bogus"]) {
    assert(paths.includes(path), `${path} in ${paths}`);
  }
  const cut = await assertRejects(
    () => loadConfig(QUICK, { set: ["kernels.tensor_parallel_sizes=[3]"] }),
    ConfigError,
  );
  assert(/\b2\b/.test(cut.message) && /\b4\b/.test(cut.message), cut.message);
});

Deno.test("malformed JSON is an error with line and column", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/bad.json`, '{\n  "name": "x",,\n}');
    const error = await assertRejects(() => loadConfig(`${folder}/bad.json`), ConfigError);
    assert(/line 2, column/.test(error.message), error.message);
  }));

Deno.test("every shipped configuration is legal", async () => {
  for (const entry of Deno.readDirSync(new URL("../../configs/", import.meta.url))) {
    if (entry.name === "schema.json") continue;
    const path = new URL(`../../configs/${entry.name}`, import.meta.url).pathname;
    const config = await loadConfig(path);
    assertEquals(`${config.name}.json`, entry.name);
  }
});

Deno.test("configs/schema.json is what the code says", () => {
  const path = new URL("../../configs/schema.json", import.meta.url);
  assertEquals(
    JSON.parse(Deno.readTextFileSync(path)),
    JSON.parse(JSON.stringify(configJsonSchema())),
  );
});
