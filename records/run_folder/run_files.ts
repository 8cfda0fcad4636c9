/** The files of a run folder as bytes, and the seal over them: their hashes in the manifest. */

import { join } from "node:path";
import { parseRows } from "../files/csv_rows.ts";
import { FileError } from "../files/file_error.ts";
import { FolderLock } from "../files/folder_lock.ts";
import { MAX_TEXT_BYTES, requireRegularFile } from "../files/read_text.ts";
import { sha256 } from "../files/short_hash.ts";
import { label } from "../rows/row.ts";
import { type Suite, SUITES } from "../rows/suite.ts";
import { type Manifest, readManifest, writeManifest } from "./manifest.ts";

/** What no hash covers: the manifest, which has its own digest, that digest's signature, the lock. */
const UNHASHED: readonly string[] = ["manifest.json", "signature.json", ".lock"];

/** All that lies in a run folder, read once. */
export interface RunFiles {
  /** Of the folder. */
  readonly path: string;
  /** Contents by name; what is no file, such as a folder, has none, and its name ends in a slash. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** Reads all files of a run folder. Needs read permission; FileError where it cannot be read. */
export function readRunFiles(path: string): RunFiles {
  try {
    const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    const bytes = names.map((name) =>
      Deno.statSync(join(path, name)).isFile
        ? [name, readBytes(join(path, name))] as const
        : [`${name}/`, new Uint8Array()] as const
    );
    return { path, bytes: new Map(bytes) };
  } catch (cause) {
    throw new FileError("read the run in", path, { cause });
  }
}

function readBytes(path: string): Uint8Array {
  requireRegularFile(path, MAX_TEXT_BYTES);
  return Deno.readFileSync(path);
}

/** A file as text; undefined where it is not there. */
export function textOf({ bytes }: RunFiles, name: string): string | undefined {
  const content = bytes.get(name);
  return content && new TextDecoder().decode(content);
}

/** SHA-256 of every file that the seal covers, by name. */
export function hashFiles({ bytes }: RunFiles): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...bytes].filter(([name]) => !UNHASHED.includes(name))
      .map(([name, content]) => [name, sha256(content)]),
  );
}

/** The fields of a manifest that say which rows and files a folder has. */
export function sealOf(files: RunFiles): Required<Pick<Manifest, "rows" | "files">> {
  const rows = SUITES.flatMap((suite) => {
    const text = textOf(files, `${suite}.csv`);
    return text === undefined ? [] : [[suite, labelsOf(suite, text)] as const];
  });
  return { rows: Object.fromEntries(rows), files: hashFiles(files) };
}

function labelsOf(suite: Suite, text: string): Record<string, string> {
  const { rows } = parseRows(text);
  return Object.fromEntries(rows.map((row) => [row["row_key"] ?? "", label(suite, row)]));
}

/**
 * Writes into the manifest of a finished run which rows and files its folder has now, with their hashes.
 *
 * Needs read and write permission. FileError where the folder is in use or has no manifest.
 */
export function sealRun(path: string): void {
  using _lock = FolderLock.take(path, { isNew: false });
  writeManifest(path, { ...readManifest(path), ...sealOf(readRunFiles(path)) });
}
