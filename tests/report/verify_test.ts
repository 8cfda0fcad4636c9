import { assert, assertEquals } from "@std/assert";
import { parse, stringify } from "@std/csv";
import { FileError } from "../../records/files/file_error.ts";
import { columnsOf } from "../../records/rows/row.ts";
import { SUITES } from "../../records/rows/suite.ts";
import { hashRecord } from "../../records/run_folder/sample_record.ts";
import type { Manifest } from "../../records/run_folder/manifest.ts";
import type { RunPart } from "../../records/run_folder/run_part.ts";
import type { Contradiction } from "../../report/verify_manifest.ts";
import { verifyRun } from "../../report/verify_run.ts";
import { filesOf, sealed, smallRun, type Texts } from "./small_run.ts";

const RUN = smallRun();

function contradictions(texts: Texts): readonly Contradiction[] {
  return verifyRun(filesOf(texts)).contradictions;
}

/** A cell, another digit or letter of it where it has one. */
function changed(cell: string): string {
  return /\d$/.test(cell) ? cell.slice(0, -1) + (Number(cell.at(-1)) + 1) % 10 : `${cell}x`;
}

/** A CSV text with one cell changed. */
function withCell(text: string, row: number, column: number): string {
  const lines = parse(text).map((line) => [...line]);
  lines[row]![column] = changed(lines[row]![column]!);
  return stringify(lines);
}

Deno.test("a small run is sound, and all its cells and files are counted", () => {
  const { contradictions, is_finished, ...counts } = verifyRun(filesOf(RUN));
  assertEquals([contradictions, is_finished], [[], true]);
  const cells = SUITES.reduce(
    (sum, suite) => sum + parse(RUN[`${suite}.csv`]!).slice(1).flat().length,
    0,
  );
  assertEquals(counts.recomputed + counts.hashed, cells);
  assertEquals([counts.rows, counts.files], [12, Object.keys(RUN).length - 1]);
});

Deno.test("every changed cell of every CSV file is found, those of suites by row and column", () => {
  for (const [file, text] of Object.entries(RUN).filter(([name]) => name.endsWith(".csv"))) {
    const [headers, ...rows] = parse(text);
    for (let row = 0; row < rows.length; row++) {
      for (const [column, header] of headers!.entries()) {
        const found = contradictions({ ...RUN, [file]: withCell(text, row + 1, column) });
        const isNamed = (one: Contradiction) =>
          one.file === file && one.column === header && one.row === row + 1;
        assert(found.some(({ file: name, column }) => name === file && column === "hash"), file);
        const isOfSuite = SUITES.some((suite) => file === `${suite}.csv`);
        assert(!isOfSuite || found.some(isNamed), `${file} row ${row + 1} ${header}`);
      }
    }
  }
});

/** Every way to change one leaf of a value, with the leaf's path. */
function* changedLeaves(value: unknown, path = ""): Generator<readonly [string, unknown]> {
  if (typeof value === "object" && value !== null) {
    for (const [key, field] of Object.entries(value)) {
      for (const [place, other] of changedLeaves(field, `${path}.${key}`)) {
        yield [
          place,
          Array.isArray(value)
            ? value.map((old, i) => String(i) === key ? other : old)
            : { ...value, [key]: other },
        ];
      }
      if (Array.isArray(value)) continue;
      const { [key]: _gone, ...rest } = value as Record<string, unknown>;
      yield [`${path}.${key} left out`, rest];
    }
  } else if (typeof value === "number") yield [path, value * 3 + 1];
  else if (typeof value === "boolean") yield [path, !value];
  else yield [path, value === null ? 0 : `${value}x`];
}

Deno.test("every changed or missing leaf of the manifest is found", () => {
  const manifest = JSON.parse(RUN["manifest.json"]!);
  let leaves = 0;
  for (const [path, other] of changedLeaves(manifest)) {
    leaves++;
    const text = `${JSON.stringify(other, null, 2)}\n`;
    assert(isFound({ ...RUN, "manifest.json": text }), path);
  }
  assert(leaves > 80, String(leaves));
});

/** Whether something is found, or the manifest is none any more. */
function isFound(texts: Texts): boolean {
  try {
    return contradictions(texts).length > 0;
  } catch (error) {
    if (error instanceof FileError) return true;
    throw error;
  }
}

Deno.test("one changed byte of any file is found", () => {
  for (const [name, text] of Object.entries(RUN)) {
    for (const at of [0, Math.floor(text.length / 2), text.length - 1]) {
      const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      assert(isFound({ ...RUN, [name]: changed }), `${name} at ${at}`);
    }
  }
  const spaced = RUN["manifest.json"]!.replace("{\n", "{ \n");
  assertEquals(contradictions({ ...RUN, "manifest.json": spaced }).map(({ column }) => column), [
    "text",
  ]);
});

Deno.test("files that are missing or more than the manifest names are named", () => {
  for (const name of Object.keys(RUN).filter((name) => name !== "manifest.json")) {
    const { [name]: _gone, ...rest } = RUN;
    const found = contradictions(rest).find(({ file }) => file === name)!;
    assertEquals([found.column, found.found], ["hash", "no such file"]);
  }
  const [extra] = contradictions({ ...RUN, "notes.txt": "a" });
  assertEquals([extra!.file, extra!.expected], ["notes.txt", "no such file"]);
});

Deno.test("a row that is gone with its samples is named, even where all hashes were made again", () => {
  const { rows } = JSON.parse(RUN["manifest.json"]!);
  for (const suite of SUITES) {
    const file = `${suite}.csv`;
    const [key, label] = Object.entries<string>(rows[suite]).at(-1)!;
    const without = (text: string) =>
      text.split(/(?<=\n)/).filter((line) => !line.includes(key)).join("");
    const texts = {
      ...RUN,
      [file]: without(RUN[file]!),
      "samples.jsonl": without(RUN["samples.jsonl"]!),
    };
    for (const found of [contradictions(texts), contradictions(sealed(texts, { rows }))]) {
      const one = found.find(({ row_key }) => row_key === key)!;
      assertEquals([one.file, one.found, one.expected], [file, "no such row", label]);
    }
  }
});

Deno.test("a cell that is computed is found where copy and hashes were changed with it", () => {
  const missed: string[] = [];
  for (const suite of SUITES) {
    const file = `${suite}.csv`;
    const [headers, ...rows] = parse(RUN[file]!);
    for (const column of columnsOf(suite).filter(({ derive }) => derive)) {
      const place = headers!.indexOf(column.header);
      const row = rows.findIndex((cells) => cells[place] !== "");
      if (row < 0) continue;
      const key = rows[row]![headers!.indexOf("row_key")]!;
      const samples = RUN["samples.jsonl"]!.split("\n").map((line) => {
        if (!line.includes(`"row_key":"${key}"`)) return line;
        const record = JSON.parse(line);
        record.row[column.header] = changed(record.row[column.header]);
        return JSON.stringify({ ...record, hash: hashRecord(record) });
      }).join("\n");
      const texts = sealed({
        ...RUN,
        [file]: withCell(RUN[file]!, row + 1, place),
        "samples.jsonl": samples,
      });
      const found = contradictions(texts);
      if (!found.some((c) => c.column === column.header && c.row === row + 1)) {
        missed.push(`${suite} ${column.header}`);
      }
    }
  }
  assertEquals(missed, []);
});

/** The small run's manifest, and its files but for that. */
function manifestAndTexts() {
  const { "manifest.json": text, ...texts } = RUN;
  const manifest: Manifest = JSON.parse(text!);
  return { texts, manifest, parts: manifest.parts! };
}

Deno.test("configuration and canary are computed again, where all hashes were made again", () => {
  const { texts, parts } = manifestAndTexts();
  const [first, last] = parts;
  for (
    const [column, fields] of [
      ["parts.1.canary_us", { canary_us: 330, parts: [first!, { ...last!, canary_us: 330 }] }],
      ["configuration_hash", { configuration_hash: "abc" }],
      ["configuration_hash", { model: { hidden: 65 } }],
    ] as const
  ) {
    const found = contradictions(sealed(texts, fields as Partial<Manifest>));
    assertEquals(found.map((one) => one.column), [column]);
  }
});

Deno.test("parts follow each other, and what is said of the whole run is theirs", () => {
  const { texts, manifest, parts } = manifestAndTexts();
  const [first, last] = parts;
  const early = "2025-12-31T23:00:00.000Z";
  const { ended_at: _end, ...unended } = last!;
  for (
    const [columns, fields] of [
      [["parts"], { parts: undefined }],
      [["parts.0.started_at"], { started_at: "2025-12-31T00:00:00.000Z" }],
      [["parts.1.started_at"], { parts: [first!, { ...last!, started_at: early }] }],
      [["parts.1.ended_at"], { parts: [first!, { ...last!, ended_at: early }] }],
      [["parts.1.ended_at"], { parts: [first!, unended] }],
      [["shaders"], { parts: [{ ...first!, shaders: { "add/naive": "0" } }, last!] }],
      [["selection"], { selection: first!.selection }],
      [["environment"], { environment: first!.environment }],
      [["ceilings"], { ceilings: { ...Object(manifest["ceilings"]), copyGbytesPerS: 13 } }],
    ] as const
  ) {
    const found = contradictions(sealed(texts, fields as Partial<Manifest>));
    const named = [...new Set(found.map((one) => one.column))].filter((one) => one !== "adapter");
    assertEquals(named, [...columns]);
  }
});

Deno.test("a run that was not finished, or not sealed, says so", () => {
  const { "manifest.json": _manifest, ...texts } = RUN;
  const finished = (fields: Parameters<typeof sealed>[1]) =>
    verifyRun(filesOf(sealed(texts, fields))).is_finished;
  assertEquals(finished({}), true);
  assertEquals(finished({ interrupted: true }), false);
  const running = { files: undefined, rows: undefined, interrupted: undefined } as object;
  assertEquals(finished(running), false);
});

Deno.test("rows of an adapter that no part had are found; those of a part before a resume pass", () => {
  const { texts, parts } = manifestAndTexts();
  const adapter = { name: "another", type: "discrete" };
  const [first, last] = parts;
  const columns = (...parts: readonly RunPart[]) =>
    new Set(contradictions(sealed(texts, { adapter, parts: [...parts] })).map((one) => one.column));
  assertEquals(columns({ ...first!, adapter }, { ...last!, adapter }), new Set(["adapter"]));
  assertEquals(columns(first!, { ...last!, adapter }), new Set());
});
