/** What a run folder says about its run: manifest.json. */

import { join } from "node:path";
import { z } from "zod";
import { FileError } from "../files/file_error.ts";
import { writeWhole } from "../files/write_whole.ts";

const MANIFEST_SCHEMA = z.looseObject({
  schema_version: z.int(),
  run_id: z.string(),
  started_at: z.string(),
  configuration: z.record(z.string(), z.unknown()),
  configuration_hash: z.string(),
});

/**
 * A manifest: these fields and whatever else the run adds, such as environment and shader hashes.
 * @internal
 */
export type Manifest = Readonly<z.output<typeof MANIFEST_SCHEMA>>;

/**
 * Reads the manifest of a run folder.
 *
 * Needs read permission. FileError where there is none or it is not one.
 */
export function readManifest(folder: string): Manifest {
  const path = join(folder, "manifest.json");
  let json: unknown;
  try {
    json = JSON.parse(Deno.readTextFileSync(path));
  } catch (cause) {
    throw new FileError("read the manifest", path, { cause });
  }
  const parsed = MANIFEST_SCHEMA.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new FileError("read the manifest", path, { cause: "it is not a manifest" });
}

/** Writes a manifest in one step: a reader sees the old one or the new one, whole. */
export function writeManifest(folder: string, manifest: Manifest): void {
  writeWhole(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}
