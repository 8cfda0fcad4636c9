/** The folder that new results go to: new or empty, and what lay there is moved, never overwritten. */

import { join } from "node:path";
import { exists } from "../files/exists.ts";
import { FileError } from "../files/file_error.ts";
import { FolderLock } from "../files/folder_lock.ts";

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

/** A time as the names of folders and runs have it. */
export function timeText(start: Date): string {
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

/** Renames a folder that is not empty, unless a run is using it; of a link what it leads to, and the link stays. */
function moveAside(path: string, time: string): void {
  let folder: string;
  try {
    folder = Deno.realPathSync(path);
    const [first] = Deno.readDirSync(folder);
    if (first === undefined) return;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return;
    throw new FileError("use the run folder", path, { cause });
  }
  FolderLock.take(folder, { isNew: false })[Symbol.dispose]();
  let to = `${folder}.${time}`;
  for (let place = 2; exists(to); place++) to = `${folder}.${time}-${place}`;
  try {
    Deno.renameSync(folder, to);
    Deno.mkdirSync(folder);
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
