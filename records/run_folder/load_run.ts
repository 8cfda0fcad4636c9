import { basename, dirname, join } from "node:path";
import { type Suite, SUITES } from "../rows/suite.ts";
import { readRows } from "../files/csv_rows.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { readSamples, type SampleRecord } from "./sample_record.ts";
import { exists } from "../files/exists.ts";
import { FileError } from "../files/file_error.ts";

/** A row as its file has it: texts by header. */
export type TextRow = Readonly<Record<string, string>>;

/** The rows of one CSV file. */
export interface LoadedSuite {
  /** Whose rows they are. */
  readonly suite: Suite;
  /** Of the CSV file. */
  readonly path: string;
  /** Of all columns, in order. */
  readonly headers: readonly string[];
  /** Whole rows only: one that was cut off is left out. */
  readonly rows: readonly TextRow[];
}

/** A run folder, or one of its CSV files, as far as it is there. */
export interface LoadedRun {
  /** Of the folder, or of the file. */
  readonly path: string;
  /** Absent where a single CSV file has none beside it. */
  readonly manifest: Manifest | undefined;
  /** The files that are there, in the order of the suites. */
  readonly suites: readonly LoadedSuite[];
  /** Raw samples by row key; empty where there are none. */
  readonly samples: ReadonlyMap<string, SampleRecord>;
}

/**
 * Reads a run folder, or one CSV file with what lies beside it. Needs read permission.
 * FileError where it is neither, or a file of it is damaged.
 */
export function loadRun(path: string): LoadedRun {
  const isFile = statOf(path).isFile;
  const folder = isFile ? dirname(path) : path;
  const files = isFile
    ? [path]
    : SUITES.map((suite) => join(folder, `${suite}.csv`)).filter(exists);
  if (files.length === 0) {
    const cause = `it has none of ${SUITES.map((suite) => `${suite}.csv`).join(", ")}`;
    throw new FileError("read the run in", path, { cause });
  }
  const suites = files.map((file): LoadedSuite => {
    const { headers, rows } = readRows(file);
    // A single file may have another name; in a folder names say what files are.
    const named = isFile ? rows[0]?.["suite"] : basename(file, ".csv");
    const suite = SUITES.find((name) => name === named);
    if (!suite || !headers.includes("row_key")) {
      throw new FileError("read rows of", file, { cause: "it is no file of this suite" });
    }
    return { suite, path: file, headers, rows };
  });
  const samples = join(folder, "samples.jsonl");
  const manifest = join(folder, "manifest.json");
  return {
    path,
    manifest: exists(manifest) || !isFile ? readManifest(folder) : undefined,
    suites,
    samples: exists(samples) ? readSamples(samples) : new Map(),
  };
}

function statOf(path: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (cause) {
    throw new FileError("read the run in", path, { cause });
  }
}
