import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseRows, readRows } from "../../records/files/csv_rows.ts";
import { FileError } from "../../records/files/file_error.ts";
import { CsvWriter } from "../../records/run_folder/csv_writer.ts";
import { loadRun } from "../../records/run_folder/load_run.ts";
import { readManifest } from "../../records/run_folder/manifest.ts";
import {
  hashRecord,
  readSamples,
  sampleLine,
  wholeLinesBytes,
} from "../../records/run_folder/sample_record.ts";
import { readTraceEvents } from "../../records/run_folder/trace_events.ts";
import { dashboardHtml } from "../../report/dashboard.ts";
import { pageData } from "../../report/page_data.ts";
import { verifyRun } from "../../report/verify_run.ts";
import { inFolder } from "../in_folder.ts";
import { filesOf, sealed, smallRun } from "../report/small_run.ts";

const RUN = smallRun();

Deno.test("a CSV file that spreadsheets changed is read, or refused by line with what is legal", () => {
  const rows = [{ row_key: "a", x: "1" }, { row_key: "b", x: "2" }];
  for (const [mark, end] of [["", "\n"], ["\uFEFF", "\r\n"], ["", "\r\n"]] as const) {
    const text = `${mark}row_key,x${end}a,1${end}${end}b,2${end}c,`;
    const read = parseRows(text);
    assertEquals([read.headers, read.rows], [["row_key", "x"], rows]);
    const whole = text.slice(0, -2);
    assertEquals(read.lengthBytes, new TextEncoder().encode(whole).length);
  }
  for (
    const [text, message] of [
      ["row_key;x\na;1\n", "line 1 has semicolons between its cells; legal are commas"],
      ["row_key\tx\na\t1\n", "line 1 has tabs between its cells; legal are commas"],
      ["row_key,x,x\n", 'line 1 has the column "x" twice'],
      ['row_key,x\na,"1,5"\n', 'line 2, x: found the decimal comma "1,5"; legal: a decimal point'],
      ["row_key,x\na,1\nb\n", "line 3 has 1 cells; legal are 2"],
      ['row_key,x\n\n"a\na",1\nb,1\n"a\na",2\n', "line 6 has the row of line 3 again"],
      ["rank,x\n0,1\n1,1\n0,1\n", "line 4 has the row of line 2 again"],
    ] as const
  ) {
    const error = assertThrows(() => parseRows(text), SyntaxError);
    assert(error.message.includes(message), error.message);
  }
  assertEquals(parseRows("row_key,x\n,1\n,1\n").rows.length, 2); // rows that have no key
});

Deno.test("a resumed CSV file keeps its byte order mark and loses its cut row only", () =>
  inFolder((folder) => {
    const path = `${folder}/kernels.csv`;
    new CsvWriter(folder, { suite: "kernels" })[Symbol.dispose]();
    const header = `\uFEFF${Deno.readTextFileSync(path)}`;
    Deno.writeTextFileSync(path, `${header}2,cut`);
    {
      using csv = new CsvWriter(folder, { suite: "kernels" });
      csv.write({ row_key: "a" });
    }
    assertEquals(readRows(path).rows.map((row) => row["row_key"]), ["a"]);
    assert(
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(Deno.readFileSync(path))
        .startsWith(header),
    );
  }));

Deno.test("samples, manifest and timeline are read with byte order marks and any line endings", () =>
  inFolder((folder) => {
    const record = { row_key: "a", series: { gpu_us: [1] }, facts: undefined, row: undefined };
    const text = `\uFEFF${sampleLine(record).replace("\n", "\r\n")}`;
    Deno.writeTextFileSync(`${folder}/samples.jsonl`, `${text}{"row_`);
    const samples = readSamples(`${folder}/samples.jsonl`);
    assertEquals(samples.get("a")?.hash, hashRecord(record));
    const bytes = new TextEncoder().encode(text).length;
    assertEquals(wholeLinesBytes(`${folder}/samples.jsonl`), bytes);
    const manifest = RUN["manifest.json"]!.replaceAll("\n", "\r\n");
    Deno.writeTextFileSync(`${folder}/manifest.json`, `\uFEFF${manifest}`);
    assertEquals(readManifest(folder).run_id, "small-1");
    const path = `${folder}/timeline.json`;
    Deno.writeTextFileSync(path, '\uFEFF{"traceEvents":[{"ph":"M","pid":0}]}\r\n');
    assertEquals(readTraceEvents(path), [{ ph: "M", pid: 0 }]);
  }));

Deno.test("a file of a run that is damaged is an error with its path and where", () =>
  inFolder((folder) => {
    const cases: readonly (readonly [string, string, string])[] = [
      ["timeline.json", '{"traceEvents":[null]}', "traceEvents.0"],
      ["timeline.json", '{"traceEvents":[{"ph":"X","pid":0,"ts":"1"}]}', "traceEvents.0.ts"],
      ["timeline.json", "[]", "Cannot read the timeline"],
      ["samples.jsonl", '{"row_key":"a"}\n', "line 1 has not the samples of a row"],
      ["samples.jsonl", '{"row_key":"a","series":{"gpu_us":[null]}}\n', "line 1"],
      ["samples.jsonl", '{}\n{"row_key"\n', "line 1"],
      ["kernels.csv", "row_key;suite\n", "semicolons"],
      ["manifest.json", "{}", "run_id"],
    ];
    for (const [name, text, message] of cases) {
      for (const [file, whole] of Object.entries(RUN)) {
        Deno.writeTextFileSync(`${folder}/${file}`, file === name ? text : whole);
      }
      // What lies beside the rows in a small run is no trace.
      if (name !== "timeline.json") Deno.removeSync(`${folder}/timeline.json`);
      const error = assertThrows(() => pageData([folder]), FileError, message);
      assert(error.message.includes(`${folder}/${name}`), error.message);
    }
    for (const [file, whole] of Object.entries(RUN)) {
      Deno.writeTextFileSync(`${folder}/${file}`, whole);
    }
    for (const name of ["kernels.csv", "samples.jsonl", "manifest.json", "timeline.json"]) {
      Deno.removeSync(`${folder}/${name}`);
      Deno.symlinkSync("/dev/zero", `${folder}/${name}`);
      const read = name === "timeline.json"
        ? () => readTraceEvents(`${folder}/${name}`)
        : () => loadRun(folder);
      assertThrows(read, FileError, "is no regular file");
      Deno.removeSync(`${folder}/${name}`);
      Deno.writeTextFileSync(`${folder}/${name}`, RUN[name]!);
    }
  }));

Deno.test("the page says that a run has parts, and what differed between them", () =>
  inFolder((folder) => {
    const { "manifest.json": text, "timeline.json": _timeline, ...texts } = RUN;
    const [first, last] = JSON.parse(text!).parts;
    const parts = [first, { ...last, resumed_anyway: ["commit was a and is b"] }];
    for (const [file, whole] of Object.entries(sealed(texts, { parts }))) {
      Deno.writeTextFileSync(`${folder}/${file}`, whole);
    }
    const [run] = pageData([folder]).runs;
    const said = run!.warnings.filter((warning) => warning.includes("resumed"));
    assertEquals(said, [
      "The run was resumed: rows of its 2 parts took no turns with each other.",
      "A part was resumed though it differed: commit was a and is b.",
    ]);
  }));

Deno.test("samples of which a series is missing contradict their row, and end no report", () =>
  inFolder(async (folder) => {
    const { "manifest.json": _manifest, ...texts } = RUN;
    const lines = RUN["samples.jsonl"]!.trim().split("\n");
    let tried = 0;
    for (const [place, line] of lines.entries()) {
      const record = JSON.parse(line);
      const kindOf = (name: string) => name.replace(/^rank_\d+_/, "");
      const all = Object.entries<number[]>(record.series).filter(([, values]) => values.length > 0);
      for (const kind of new Set(all.map(([name]) => kindOf(name)))) {
        const series = Object.fromEntries(all.filter(([name]) => kindOf(name) !== kind));
        const changed = sampleLine({ ...record, series });
        const others = lines.map((other, i) => i === place ? changed : `${other}\n`);
        const run = sealed({ ...texts, "samples.jsonl": others.join("") });
        const { contradictions } = verifyRun(filesOf(run));
        // Without the adapter's time no cell comes from the wait for it; single samples are rounds.
        const isNeeded = kind !== "wait_us" && kind !== "round";
        assert(!isNeeded || contradictions.length > 0, `${record.row_key} ${kind}`);
        tried++;
        if (tried > 1) continue;
        for (const [file, text] of Object.entries(run)) {
          if (file !== "timeline.json") Deno.writeTextFileSync(`${folder}/${file}`, text);
        }
        assert((await dashboardHtml(pageData([folder]))).length > 1000);
      }
    }
    assert(tried > 20, String(tried));
  }));
