/** Whether the published numbers of a run are what its raw samples say. */

import { join } from "node:path";
import { hashFiles } from "../records/run_folder/file_hashes.ts";
import { type Cells, formatCell } from "../records/rows/column.ts";
import { deriveRows, hasSamples } from "../records/rows/derive_rows.ts";
import { columnsOf } from "../records/rows/row.ts";
import { hashRecord } from "../records/run_folder/sample_record.ts";
import type { LoadedRun, LoadedSuite } from "../records/run_folder/load_run.ts";

/** A place where a file and what it was made from disagree. */
export interface Contradiction {
  readonly file: string;
  /** The row of the file, counted from 1; undefined for the header and for what no row has. */
  readonly row: number | undefined;
  readonly row_key: string;
  readonly column: string;
  readonly found: string;
  readonly expected: string;
}

/** What a verification looked at and found. */
export interface Verification {
  readonly rows: number;
  /** Cells that were computed again from samples and manifest. */
  readonly recomputed: number;
  /** Cells that nothing determines, compared with the copy beside the samples. */
  readonly compared: number;
  readonly contradictions: readonly Contradiction[];
}

/**
 * Computes every cell of a run folder again that its samples and manifest determine, by its column's own
 * definition, and compares every other cell with the copy that was written beside the samples.
 */
export function verifyRun(run: LoadedRun): Verification {
  const checks = run.suites.map((suite) => verifySuite(run, suite));
  const keys = new Set(run.suites.flatMap(({ rows }) => rows.map((row) => row["row_key"])));
  const lost = [...run.samples.keys()].filter((key) => !keys.has(key)).map((
    key,
  ): Contradiction => ({
    file: join(run.path, "samples.jsonl"),
    row: undefined,
    row_key: key,
    column: "row_key",
    found: "samples without a row",
    expected: "the row that they belong to",
  }));
  const sum = (of: (check: Verification) => number) =>
    checks.reduce((total, check) => total + of(check), 0);
  return {
    rows: sum(({ rows }) => rows),
    recomputed: sum(({ recomputed }) => recomputed),
    compared: sum(({ compared }) => compared),
    contradictions: [
      ...checks.flatMap(({ contradictions }) => contradictions),
      ...lost,
      ...changedFiles(run),
    ],
  };
}

/** Files without samples whose hash is not the manifest's. */
function changedFiles({ path, manifest }: LoadedRun): readonly Contradiction[] {
  const expected = Object(manifest?.["files"]) as Record<string, string>;
  const found = hashFiles(path);
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])]
    .filter((name) => found[name] !== expected[name])
    .map((name) => ({
      file: join(path, name),
      row: undefined,
      row_key: "",
      column: "hash",
      found: found[name] ?? "no such file",
      expected: expected[name] ?? "no such file",
    }));
}

function verifySuite(run: LoadedRun, { suite, path, headers, rows }: LoadedSuite): Verification {
  const contradictions: Contradiction[] = [];
  let [recomputed, compared] = [0, 0];
  const columns = columnsOf(suite);
  const expectedHeaders = columns.map(({ header }) => header).join();
  if (headers.join() !== expectedHeaders) {
    contradictions.push({
      file: path,
      row: undefined,
      row_key: "",
      column: "header",
      found: headers.join(),
      expected: expectedHeaders,
    });
  }
  const { run_id, schema_version } = run.manifest ?? {};
  const identity: Cells = run.manifest ? { run_id, schema_version } : {};
  // The copies, with everything computed again that can be.
  const copies = deriveRows(
    suite,
    rows.map((row) => {
      const { row: copy, series = {} } = run.samples.get(row["row_key"] ?? "") ?? {};
      return { row: { ...copy, ...identity }, series };
    }),
  );
  const known = new Set(["suite", "row_key", ...Object.keys(identity)]);
  const seen = new Set<string>();
  for (const [place, row] of rows.entries()) {
    const row_key = row["row_key"] ?? "";
    const say = (column: string, found: string, expected: string) =>
      contradictions.push({ file: path, row: place + 1, row_key, column, found, expected });
    if (seen.has(row_key)) say("row_key", `${row_key} a second time`, "each row once");
    seen.add(row_key);
    const record = run.samples.get(row_key);
    if (!record) {
      say("row_key", row_key, "a key that samples.jsonl has");
      continue;
    }
    const hash = hashRecord(record);
    if (record.hash !== hash) say("samples.jsonl", `hash ${record.hash ?? "none"}`, `hash ${hash}`);
    const copy = copies[place]!;
    const isSampled = hasSamples(suite, copy);
    for (const { header, derive } of columns) {
      const found = row[header] ?? "";
      const isDerived = known.has(header) || (isSampled && derive !== undefined);
      if (isDerived) recomputed++;
      else compared++;
      const expected = formatCell(copy.row[header]);
      if (!isDerived && record.row?.[header] === undefined) {
        say(header, found, "a copy beside the samples");
      } else if (found !== expected) say(header, found, expected);
    }
  }
  return { rows: rows.length, recomputed, compared, contradictions };
}
