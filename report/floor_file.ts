/** Where the noise floor of a machine is kept between runs. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { exists } from "../records/files/exists.ts";
import { readText } from "../records/files/read_text.ts";
import { FileError } from "../records/files/file_error.ts";
import { shortHash } from "../records/files/short_hash.ts";
import { writeWhole } from "../records/files/write_whole.ts";
import type { LoadedRun } from "../records/run_folder/load_run.ts";
import type { NoiseFloor } from "./noise_floor.ts";
import { machineOf } from "./run_differences.ts";

/** Beside the program, wherever it is called from; nowhere for one that is not on disk. */
const FLOOR_FOLDER = import.meta.url.startsWith("file:")
  ? fileURLToPath(new URL("../tuning", import.meta.url))
  : undefined;

const FLOOR_SCHEMA = z.object({
  machine: z.record(z.string(), z.string()),
  floors: z.record(
    z.string(),
    z.object({
      scatter_pct: z.number().min(0),
      degrees: z.number().positive(),
      rows: z.int(),
      runs: z.int(),
    }),
  ),
});

/**
 * The floor of the machine that a run was measured on; undefined where `folder`, or `tuning` beside this
 * program, has none. Needs read permission for it.
 * @throws {FileError} where there is one that cannot be read.
 */
export function readFloor(
  run: LoadedRun,
  folder: string | undefined = FLOOR_FOLDER,
): NoiseFloor | undefined {
  if (folder === undefined) return undefined;
  const machine = machineOf(run);
  const path = pathOf(machine, folder);
  if (!exists(path)) return undefined;
  try {
    const floor = FLOOR_SCHEMA.parse(JSON.parse(readText(path)));
    return JSON.stringify(floor.machine) === JSON.stringify(machine) ? floor : undefined;
  } catch (cause) {
    throw new FileError("read the noise floor", path, { cause });
  }
}

/** Keeps a floor in a folder, in place of the one that the machine had; returns the file's path. */
export function writeFloor(floor: NoiseFloor, folder: string = FLOOR_FOLDER ?? "tuning"): string {
  const path = pathOf(floor.machine, folder);
  try {
    Deno.mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new FileError("make the folder", folder, { cause });
  }
  writeWhole(path, `${JSON.stringify(floor, null, 2)}\n`);
  return path;
}

function pathOf(machine: NoiseFloor["machine"], folder: string): string {
  return join(folder, `noise_floor_${shortHash(JSON.stringify(machine))}.json`);
}
