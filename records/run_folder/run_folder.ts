/** The folder of one run: locked while it runs, resumable after a cut, never overwritten. */

import { join, relative, resolve } from "node:path";
import { AppendFile } from "../files/append_file.ts";
import { CsvWriter } from "./csv_writer.ts";
import type { Suite } from "../rows/suite.ts";
import { FolderLock } from "../files/folder_lock.ts";
import { configurationHash, type Manifest, readManifest, writeManifest } from "./manifest.ts";
import { readRunFiles, sealOf } from "./run_files.ts";
import { exists } from "../files/exists.ts";
import { FileError } from "../files/file_error.ts";
import { hashRecord, readSamples, type SampleRecord, wholeLinesBytes } from "./sample_record.ts";
import type { Cells } from "../rows/column.ts";
import type { SampledRow } from "../rows/derive_rows.ts";
import { SCHEMA_VERSION } from "../rows/row.ts";
import { shortHash } from "../files/short_hash.ts";

/** What of a configuration a run folder keeps. */
export interface RunConfiguration {
  readonly name: string;
  /** The configuration as plain JSON. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The model's sizes, whatever file they came from. */
  readonly model: unknown;
  /** The absolute path of the model's config.json. */
  readonly modelPath: string;
}

/** Where a new run folder goes. */
export interface RunFolderOptions {
  /** The folder itself, which must be new or empty; `<results>/<name>/<UTC time>` where absent. */
  readonly out?: string | undefined;
  /** Whether what lies in `out` is moved to `<out>.<UTC time>` to make room; a run in use never is. */
  readonly force?: boolean;
  /** The folder of all results; `results` where absent. */
  readonly results?: string;
  /** The start of the run; now where absent. */
  readonly start?: Date;
}

/** An open run folder; disposing it closes its files and frees its lock. */
export class RunFolder implements Disposable {
  readonly path: string;
  readonly #lock: FolderLock;
  readonly #writers = new Map<Suite, CsvWriter>();
  #samples: AppendFile | undefined;
  #manifest: Manifest;

  /** Takes a locked folder; {@linkcode createRunFolder} and {@linkcode resumeRunFolder} make it. */
  constructor(lock: FolderLock, manifest: Manifest) {
    this.path = lock.folder;
    this.#lock = lock;
    this.#manifest = manifest;
  }

  /** The name of the run, in every row of it. */
  get runId(): string {
    return this.#manifest.run_id;
  }

  /** What the manifest says now. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  /** The CSV file of a suite, opened at its first use. */
  rows(suite: Suite): CsvWriter {
    const writer = this.#writers.get(suite) ?? new CsvWriter(this.path, { suite });
    this.#writers.set(suite, writer);
    return writer;
  }

  /** The rows of a suite that a resumed run need not measure again, with their samples, by key. */
  finished(suite: Suite): ReadonlyMap<string, SampledRow<Cells>> {
    const rows = [...this.rows(suite).finished];
    const samples = rows.length > 0 ? readSamples(join(this.path, "samples.jsonl")) : undefined;
    return new Map(
      rows.map(([key, row]) => {
        const { series = {}, facts } = samples?.get(key) ?? {};
        return [key, { row, series, facts }];
      }),
    );
  }

  /**
   * Appends the raw samples of a row to samples.jsonl.
   *
   * Append them before the row: then every row has its samples. A cut can leave samples without a
   * row; of several records with one key the last counts.
   */
  appendSamples(record: Omit<SampleRecord, "hash">): void {
    if (this.#samples === undefined) {
      const path = join(this.path, "samples.jsonl");
      this.#samples = AppendFile.open(path, { keepBytes: wholeLinesBytes(path) });
    }
    const hashed: SampleRecord = { ...record, hash: hashRecord(record) };
    this.#samples.append(`${JSON.stringify(hashed)}\n`);
  }

  /** Adds fields to manifest.json, or replaces them, in one step. */
  updateManifest(fields: Readonly<Record<string, unknown>>): void {
    const manifest: Manifest = { ...this.#manifest, ...fields };
    writeManifest(this.path, manifest);
    this.#manifest = manifest;
  }

  /** Writes into manifest.json which rows and files there are, with their hashes. */
  seal(): void {
    this.updateManifest(sealOf(readRunFiles(this.path)));
  }

  [Symbol.dispose](): void {
    for (const writer of this.#writers.values()) writer[Symbol.dispose]();
    this.#samples?.[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }
}

function timeText(start: Date): string {
  return start.toISOString().replace(/\.\d+Z$/, "Z").replaceAll(":", "-");
}

/**
 * Makes the folder of new results.
 *
 * Needs read and write permission for it. FileError where it is not empty, in use, or cannot be made.
 */
export function makeFolder(
  name: string,
  { out, force, results = "results", start = new Date() }: RunFolderOptions = {},
): string {
  const time = timeText(start);
  if (out !== undefined && force) moveAside(out, time);
  return out === undefined ? makeTimeFolder(join(results, name), time) : makeEmptyFolder(out);
}

/**
 * Makes and locks the folder of a new run and writes its manifest.
 *
 * Needs read and write permission for it. FileError where it is not empty, in use, or cannot
 * be made.
 */
export function createRunFolder(
  config: RunConfiguration,
  options: RunFolderOptions = {},
): RunFolder {
  const { start = new Date() } = options;
  const time = timeText(start);
  const path = makeFolder(config.name, { ...options, start });
  const lock = FolderLock.take(path, { isNew: true });
  const mark = shortHash(`${start.getTime()} ${crypto.randomUUID()}`).slice(0, 6);
  const folder = new RunFolder(lock, {
    schema_version: SCHEMA_VERSION,
    run_id: `${config.name}-${time}-${mark}`,
    started_at: start.toISOString(),
    configuration: { ...config.document, model: portablePath(path, config.modelPath) },
    configuration_hash: configurationHash(config),
    model: config.model,
  });
  try {
    folder.updateManifest({});
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
  return folder;
}

/**
 * Opens the folder of a run that was cut off; {@linkcode RunFolder.finished} has the rows it keeps.
 *
 * FileError where it is in use, has no manifest, or was made with another configuration.
 */
export function resumeRunFolder(path: string, config: RunConfiguration): RunFolder {
  const manifest = readManifest(path);
  if (manifest.configuration_hash !== configurationHash(config)) {
    const cause = "it was made with another configuration or model";
    throw new FileError("resume the run in", path, { cause });
  }
  const { rows: _rows, files: _files, interrupted: _interrupted, ...kept } = manifest;
  const folder = new RunFolder(FolderLock.take(path, { isNew: false }), openSession(kept));
  folder.updateManifest({}); // no longer sealed: it grows
  return folder;
}

/** What a manifest says of one session, a process that measured rows of the run. */
const SESSION_FIELDS = [
  "environment",
  "adapter",
  "ceilings",
  "canary_us",
  "canary_readings_us",
  "time_ms",
];

/** A manifest in which what the session before said of itself stands among earlier sessions. */
function openSession(manifest: Manifest): Manifest {
  const isSession = ([name]: readonly [string, unknown]) => SESSION_FIELDS.includes(name);
  const fields = Object.entries(manifest);
  const earlier = [manifest["earlier_sessions"] ?? []].flat();
  return {
    ...Object.fromEntries(fields.filter((field) => !isSession(field))) as Manifest,
    earlier_sessions: [...earlier, Object.fromEntries(fields.filter(isSession))],
  };
}

/** A path as a file of a folder names it: relative where both lie below the working folder. */
function portablePath(folder: string, path: string): string {
  const here = `${Deno.cwd()}/`;
  const isHere = resolve(folder).startsWith(here) && resolve(path).startsWith(here);
  return isHere ? relative(resolve(folder), path) : path;
}

function makeTimeFolder(parent: string, time: string): string {
  try {
    Deno.mkdirSync(parent, { recursive: true });
  } catch (cause) {
    throw new FileError("make the run folder", parent, { cause });
  }
  for (let place = 1;; place++) {
    const path = join(parent, place === 1 ? time : `${time}-${place}`);
    try {
      Deno.mkdirSync(path);
      return path;
    } catch (cause) {
      if (cause instanceof Deno.errors.AlreadyExists) continue;
      throw new FileError("make the run folder", path, { cause });
    }
  }
}

/** Renames a folder that is not empty, unless a run is using it. */
function moveAside(path: string, time: string): void {
  const folder = path.replace(/\/+$/, "");
  try {
    const [first] = Deno.readDirSync(folder);
    if (first === undefined) return;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return;
    throw new FileError("use the run folder", folder, { cause });
  }
  FolderLock.take(folder, { isNew: false })[Symbol.dispose]();
  let to = `${folder}.${time}`;
  for (let place = 2; exists(to); place++) to = `${folder}.${time}-${place}`;
  try {
    Deno.renameSync(folder, to);
  } catch (cause) {
    throw new FileError("move aside", folder, { cause });
  }
}

function makeEmptyFolder(path: string): string {
  try {
    Deno.mkdirSync(path, { recursive: true });
    const [first] = Deno.readDirSync(path);
    if (first === undefined) return path;
  } catch (cause) {
    throw new FileError("make the run folder", path, { cause });
  }
  throw new FileError("use the run folder", path, {
    cause: "it is in use or not empty; name a new one, or --resume it",
  });
}
