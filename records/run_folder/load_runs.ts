/** Several runs named as one: a list with commas between, or a folder of repeated runs. */

import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { exists } from "../files/exists.ts";
import { readText } from "../files/read_text.ts";
import { FileError } from "../files/file_error.ts";
import { writeWhole } from "../files/write_whole.ts";
import { type LoadedRun, loadRun } from "./load_run.ts";
import { isBelow } from "./portable_paths.ts";

/** The file that makes a folder a set: runs of one configuration, one after another. */
const SET_FILE = "set.json";
const SET_SCHEMA = z.looseObject({ kind: z.literal("set"), runs: z.array(z.string()) });

/**
 * Reads runs: folders or CSV files with commas between them, where a set stands for all of its runs.
 * @throws {FileError} where one cannot be read, or a set has no run.
 */
export function loadRuns(text: string): readonly LoadedRun[] {
  const paths = exists(text) ? [text] : text.split(",").map((path) => path.trim());
  return paths.flatMap((path) => {
    const file = join(path, SET_FILE);
    return exists(file) ? readSet(file).map((name) => loadRun(join(path, name))) : [loadRun(path)];
  });
}

/** Says in a folder that runs in it are of one set: their names, in the order in which they ran. */
export function writeSet(folder: string, runs: readonly string[]): void {
  writeWhole(join(folder, SET_FILE), `${JSON.stringify({ kind: "set", runs }, null, 2)}\n`);
}

function readSet(file: string): readonly string[] {
  let runs: readonly string[];
  try {
    ({ runs } = SET_SCHEMA.parse(JSON.parse(readText(file))));
  } catch (cause) {
    throw new FileError("read the set of runs", file, { cause });
  }
  const outside = runs.find((name) =>
    !isBelow(resolve(dirname(file), name), resolve(dirname(file)))
  );
  if (outside !== undefined) {
    const cause = `its run "${outside}" lies outside of it`;
    throw new FileError("read the set of runs", file, { cause });
  }
  if (runs.length > 0) return runs;
  throw new FileError("read the set of runs", file, { cause: "it has no run" });
}
