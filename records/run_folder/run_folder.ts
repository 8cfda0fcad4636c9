/** The folder of one run: locked while it runs, resumable after a cut, never overwritten. */

import { join } from "node:path";
import { AppendFile } from "../files/append_file.ts";
import { exists } from "../files/exists.ts";
import { FileError } from "../files/file_error.ts";
import { FolderLock } from "../files/folder_lock.ts";
import { readText } from "../files/read_text.ts";
import { shortHash } from "../files/short_hash.ts";
import { writeWhole } from "../files/write_whole.ts";
import type { Cells } from "../rows/column.ts";
import type { SampledRow } from "../rows/derive_rows.ts";
import { SCHEMA_VERSION } from "../rows/row.ts";
import { type Suite, SUITES } from "../rows/suite.ts";
import { CsvWriter } from "./csv_writer.ts";
import { makeFolder, type RunFolderOptions, timeText } from "./make_folder.ts";
import { configurationHash, type Manifest, readManifest, writeManifest } from "./manifest.ts";
import { readRunFiles, sealOf } from "./run_files.ts";
import { type RunConfiguration, runConfiguration, type TextFile } from "./run_configuration.ts";
import { fieldsOfParts, type NewPart, partDifferences, type RunPart } from "./run_part.ts";
import {
  readSamples,
  sampleLine,
  type SampleRecord,
  SAMPLES_FILE,
  wholeLinesBytes,
} from "./sample_record.ts";
import { settledRows } from "./settled_rows.ts";

/** What a manifest says of its run, whichever part measured. */
type RunFields = Pick<
  Manifest,
  "schema_version" | "run_id" | "started_at" | "configuration" | "configuration_hash" | "model"
>;

/** An open run folder; disposing it closes its files and frees its lock. */
export class RunFolder implements Disposable {
  readonly path: string;
  readonly #lock: FolderLock;
  readonly #run: RunFields;
  readonly #writers = new Map<Suite, CsvWriter>();
  /** Keys of rows that are to be measured again and were not yet. */
  readonly #stale = new Map<Suite, Set<string>>();
  #parts: readonly RunPart[];
  #samples: AppendFile | undefined;

  /** Takes a locked folder; {@linkcode createRunFolder} and {@linkcode resumeRunFolder} make it. */
  constructor(lock: FolderLock, run: RunFields, parts: readonly RunPart[]) {
    this.path = lock.folder;
    this.#lock = lock;
    this.#run = run;
    this.#parts = parts;
  }

  /** The name of the run, in every row of it. */
  get runId(): string {
    return this.#run.run_id;
  }

  /** The CSV file of a suite, opened at its first use. */
  rows(suite: Suite): CsvWriter {
    const writer = this.#writers.get(suite) ?? new CsvWriter(this.path, { suite });
    this.#writers.set(suite, writer);
    return writer;
  }

  /**
   * The rows of a suite that a resumed run need not measure again, with their samples, by key: those that
   * have not failed and whose samples are there.
   */
  finished(suite: Suite): ReadonlyMap<string, SampledRow<Cells>> {
    const { rows } = this.rows(suite);
    const samples = this.#readSamples();
    const finished = new Map(
      [...rows].filter(([key, row]) => row["status"] !== "failed" && samples.has(key))
        .map(([key, row]) => {
          const { series, facts } = samples.get(key)!;
          return [key, { row, series, facts }];
        }),
    );
    this.#stale.set(suite, new Set([...rows.keys()].filter((key) => !finished.has(key))));
    return finished;
  }

  /**
   * Appends a row, its raw samples first: then every row has its samples. A cut can leave samples without
   * a row; of several records with one key the last counts.
   */
  addRow(suite: Suite, { row, series, facts }: SampledRow<Cells>): void {
    const csv = this.rows(suite);
    const row_key = String(row["row_key"] ?? "");
    this.#openSamples().append(sampleLine({ row_key, series, facts, row: csv.cells(row) }));
    csv.write(row);
    this.#stale.get(suite)?.delete(row_key);
  }

  /** Takes out the rows that were to be measured again, where all cases of a suite have been measured. */
  dropStale(suite: Suite): void {
    const stale = this.#stale.get(suite) ?? new Set();
    if (stale.size === 0) return;
    const csv = this.rows(suite);
    csv.replaceAll(new Map([...csv.rows].filter(([key]) => !stale.has(key))));
    stale.clear();
  }

  /** Adds fields to the part that is under way, or replaces them, in one step. */
  updatePart(fields: Partial<RunPart>): void {
    this.#parts = [...this.#parts.slice(0, -1), { ...this.#parts.at(-1)!, ...fields }];
    this.#write({});
  }

  /**
   * Ends the part that is under way: computes rows' cells again, since a row that a speed-up refers to can
   * have come after it, and writes into the manifest which rows and files there are, with their hashes.
   */
  seal({ interrupted }: { readonly interrupted: boolean }): void {
    this.#settle();
    this.updatePart({ ended_at: new Date().toISOString() });
    this.#write({ interrupted, ...sealOf(readRunFiles(this.path)) });
  }

  [Symbol.dispose](): void {
    for (const writer of this.#writers.values()) writer[Symbol.dispose]();
    this.#samples?.[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }

  #write(fields: Partial<Manifest>): void {
    const parts = [...this.#parts];
    writeManifest(this.path, { ...this.#run, ...fieldsOfParts(parts), parts, ...fields });
  }

  #readSamples(): ReadonlyMap<string, SampleRecord> {
    const path = join(this.path, SAMPLES_FILE);
    return exists(path) ? readSamples(path) : new Map();
  }

  #openSamples(): AppendFile {
    const path = join(this.path, SAMPLES_FILE);
    return this.#samples ??= AppendFile.open(path, { keepBytes: wholeLinesBytes(path) });
  }

  /** Leaves one record for each row, and no other, and rows that say what samples and other rows do. */
  #settle(): void {
    const path = join(this.path, SAMPLES_FILE);
    if (!exists(path)) return;
    const samples = this.#readSamples();
    const lines: string[] = [];
    for (const suite of SUITES.filter((suite) => exists(join(this.path, `${suite}.csv`)))) {
      const csv = this.rows(suite);
      const { rows, isChanged } = settledRows(suite, csv.rows, samples);
      if (isChanged) csv.replaceAll(rows);
      for (const [key, row] of csv.rows) {
        const record = samples.get(key);
        if (record) lines.push(sampleLine({ ...record, row }));
      }
    }
    this.#samples?.[Symbol.dispose]();
    this.#samples = undefined;
    const text = lines.join("");
    if (text !== readText(path)) writeWhole(path, text);
  }
}

/**
 * Makes and locks the folder of a new run and writes its manifest, with the part that begins.
 *
 * Needs read and write permission for it. FileError where it is not empty, in use, or cannot
 * be made.
 */
export function createRunFolder(
  config: RunConfiguration,
  part: NewPart,
  options: RunFolderOptions = {},
): RunFolder {
  const { start = new Date() } = options;
  const started_at = start.toISOString();
  const path = makeFolder(config.name, { ...options, start });
  const lock = FolderLock.take(path, { isNew: true });
  const mark = shortHash(`${start.getTime()} ${crypto.randomUUID()}`).slice(0, 6);
  const { configuration, trace } = runConfiguration(config, path);
  const run: RunFields = {
    schema_version: SCHEMA_VERSION,
    run_id: `${config.name}-${timeText(start)}-${mark}`,
    started_at,
    configuration,
    configuration_hash: configurationHash({ document: configuration, model: config.model }),
    model: config.model,
  };
  return opened(new RunFolder(lock, run, [{ started_at, ...part }]), trace);
}

/** What a resumed run is given besides its folder. */
export interface ResumeOptions {
  readonly config: RunConfiguration;
  readonly part: NewPart;
  /** Whether another machine, adapter, driver, commit or source than the last part's will do. */
  readonly anyway?: boolean;
}

/**
 * Opens the folder of a run that was cut off; {@linkcode RunFolder.finished} has the rows it keeps.
 *
 * FileError where it is in use, has no manifest, was made with another configuration, or, unless `anyway`,
 * by something that would not give rows of the same kind; the message names all that differs.
 */
export function resumeRunFolder(path: string, { config, part, anyway }: ResumeOptions): RunFolder {
  const cannot = (cause: string) => new FileError("resume the run in", path, { cause });
  const lock = FolderLock.take(path, { isNew: false });
  try {
    const { parts, ...manifest } = readManifest(path);
    const { configuration: document } = runConfiguration(config, path);
    const { model: sizes } = config;
    if (manifest.configuration_hash !== configurationHash({ document, model: sizes })) {
      throw cannot("it was made with another configuration or model");
    }
    const before = parts?.at(-1);
    if (!parts || !before) throw cannot("its manifest does not say which parts it has");
    const differences = partDifferences(before, part);
    if (differences.length > 0 && !anyway) {
      throw cannot(`${differences.join("; ")}; --resume-anyway goes on all the same`);
    }
    const resumed = {
      started_at: new Date().toISOString(),
      ...part,
      ...(differences.length > 0 && { resumed_anyway: [...differences] }),
    };
    removeDrafts(path);
    const { schema_version, run_id, started_at, configuration, configuration_hash, model } =
      manifest;
    const run = { schema_version, run_id, started_at, configuration, configuration_hash, model };
    return opened(new RunFolder(lock, run, [...parts, resumed]));
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Writes the manifest of a folder whose part begins, and what it names: it is not sealed while it grows. */
function opened(folder: RunFolder, trace?: TextFile): RunFolder {
  try {
    if (trace) writeWhole(join(folder.path, trace.name), trace.text);
    folder.updatePart({});
    return folder;
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

/** Removes what a process that was killed had begun to write beside the file it would have become. */
function removeDrafts(path: string): void {
  for (const { name, isFile } of Deno.readDirSync(path)) {
    if (isFile && /\.[0-9a-f-]{36}\.part$/.test(name)) Deno.removeSync(join(path, name));
  }
}
