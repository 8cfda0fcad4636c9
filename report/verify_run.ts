/** Whether the files of a run are what was written, and its published numbers what its raw samples say. */

import { parseRows } from "../records/files/csv_rows.ts";
import { FileError } from "../records/files/file_error.ts";
import type { LoadedSuite } from "../records/run_folder/load_run.ts";
import { type Manifest, parseManifest } from "../records/run_folder/manifest.ts";
import { type RunFiles, textOf } from "../records/run_folder/run_files.ts";
import {
  hashRecord,
  parseSamples,
  type SampleRecord,
} from "../records/run_folder/sample_record.ts";
import { type Cells, formatCell } from "../records/rows/column.ts";
import { deriveRows, hasSamples, isOnlyHashed } from "../records/rows/derive_rows.ts";
import { columnsOf } from "../records/rows/row.ts";
import { SUITES } from "../records/rows/suite.ts";
import {
  adapterContradictions,
  type Contradiction,
  fileContradictions,
  manifestContradictions,
  ofFile,
  partContradictions,
  rowContradictions,
} from "./verify_manifest.ts";

/** What a verification looked at and found. */
export interface Verification {
  readonly rows: number;
  /** Cells that were computed again from samples, manifest and other cells. */
  readonly recomputed: number;
  /** Cells that nothing determines: hashed, and compared with the copy beside the samples. */
  readonly hashed: number;
  /** Columns of such cells that are not blank, by suite. */
  readonly hashed_columns: Readonly<Record<string, readonly string[]>>;
  /** Files whose hash was compared. */
  readonly files: number;
  /** Whether the run was finished and sealed. */
  readonly is_finished: boolean;
  readonly contradictions: readonly Contradiction[];
}

type Samples = ReadonlyMap<string, SampleRecord>;

/**
 * Checks the manifest's digest, every file's hash and the rows against the manifest, computes every cell
 * again that samples, manifest and other cells determine, by its column's own definition, and compares
 * every other cell with the copy beside the samples.
 * @throws {FileError} where there is no manifest or it cannot be read.
 */
export function verifyRun(files: RunFiles): Verification {
  const { text, manifest } = manifestOf(files);
  const found: Contradiction[] = [
    ...manifestContradictions(text, manifest),
    ...partContradictions(manifest),
  ];
  const isSealed = manifest.files !== undefined && manifest.interrupted === false;
  if (manifest.files !== undefined) found.push(...fileContradictions(manifest, files));
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const content = textOf(files, name);
    if (content === undefined) return undefined;
    try {
      return parse(content);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      found.push(ofFile(name, "content", [problem, "what can be read"]));
      return undefined;
    }
  };
  const suites = SUITES.flatMap((suite): readonly LoadedSuite[] => {
    const name = `${suite}.csv`;
    const rows = read(name, parseRows);
    return rows ? [{ suite, path: name, ...rows }] : [];
  });
  const samples: Samples = read("samples.jsonl", parseSamples) ?? new Map();
  if (manifest.rows !== undefined) found.push(...rowContradictions(manifest, suites));
  const checks = suites.map((suite) => verifySuite(suite, manifest, samples));
  const sum = (of: (check: SuiteCheck) => number) =>
    checks.reduce((total, check) => total + of(check), 0);
  return {
    rows: sum(({ rows }) => rows),
    recomputed: sum(({ recomputed }) => recomputed),
    hashed: sum(({ hashed }) => hashed),
    hashed_columns: Object.fromEntries(checks.map(({ suite, columns }) => [suite, columns])),
    files: Object.keys(manifest.files ?? {}).length,
    is_finished: isSealed,
    contradictions: [
      ...found,
      ...checks.flatMap(({ contradictions }) => contradictions),
      ...lostSamples(samples, suites),
    ],
  };
}

function manifestOf(files: RunFiles): { readonly text: string; readonly manifest: Manifest } {
  const path = `${files.path}/manifest.json`;
  const text = textOf(files, "manifest.json");
  try {
    if (text === undefined) throw new Deno.errors.NotFound();
    return { text, manifest: parseManifest(text) };
  } catch (cause) {
    throw new FileError("read the manifest", path, { cause });
  }
}

function lostSamples(
  samples: Samples,
  suites: readonly LoadedSuite[],
): readonly Contradiction[] {
  const keys = new Set(suites.flatMap(({ rows }) => rows.map((row) => row["row_key"])));
  return [...samples.keys()].filter((key) => !keys.has(key)).map((row_key) => ({
    ...ofFile("samples.jsonl", "row_key", ["samples without a row", "the row that they belong to"]),
    row_key,
  }));
}

interface SuiteCheck extends Pick<Verification, "rows" | "recomputed" | "hashed"> {
  readonly suite: string;
  /** Whose cells are only hashed. */
  readonly columns: readonly string[];
  readonly contradictions: readonly Contradiction[];
}

function verifySuite(suite: LoadedSuite, manifest: Manifest, samples: Samples): SuiteCheck {
  const { rows, headers, path } = suite;
  const contradictions: Contradiction[] = [...adapterContradictions(manifest, suite)];
  const columns = columnsOf(suite.suite);
  const expectedHeaders = columns.map(({ header }) => header).join();
  if (headers.join() !== expectedHeaders) {
    contradictions.push(ofFile(path, "header", [headers.join(), expectedHeaders]));
  }
  const { run_id, schema_version } = manifest;
  const identity: Cells = { run_id, schema_version };
  // The copies, with everything computed again that can be.
  const copies = deriveRows(
    suite.suite,
    rows.map((row) => {
      const { row: copy, series = {}, facts } = samples.get(row["row_key"] ?? "") ?? {};
      return { row: { ...copy, ...identity }, series, facts };
    }),
  );
  const hashedColumns = new Set<string>();
  let [recomputed, hashed] = [0, 0];
  for (const [place, row] of rows.entries()) {
    const row_key = row["row_key"] ?? "";
    const say = (column: string, found: string, expected: string) =>
      contradictions.push({ file: path, row: place + 1, row_key, column, found, expected });
    const record = samples.get(row_key);
    if (!record) {
      say("row_key", row_key, "a key that samples.jsonl has");
      continue;
    }
    const hash = hashRecord(record);
    if (record.hash !== hash) say("samples.jsonl", `hash ${record.hash ?? "none"}`, `hash ${hash}`);
    const copy = copies[place]!;
    const isSampled = hasSamples(suite.suite, copy);
    if (!isSampled && Number(row["samples"]) > 0) {
      say("samples", row["samples"]!, "as many in samples.jsonl, which has none of its clock");
    }
    for (const column of columns) {
      const { header } = column;
      const found = row[header] ?? "";
      const isDetermined = !isOnlyHashed(column) && (isSampled || column.derive === undefined);
      if (isDetermined) recomputed++;
      else hashed++;
      if (!isDetermined && found !== "") hashedColumns.add(header);
      const expected = formatCell(copy.row[header]);
      if (!isDetermined && record.row?.[header] === undefined) {
        say(header, found, "a copy beside the samples");
      } else if (found !== expected) say(header, found, expected);
    }
  }
  return {
    suite: suite.suite,
    rows: rows.length,
    recomputed,
    hashed,
    columns: [...hashedColumns],
    contradictions,
  };
}
