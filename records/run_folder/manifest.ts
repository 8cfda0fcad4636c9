/** What a run folder says about its run: manifest.json. */

import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../files/canonical_json.ts";
import { FileError } from "../files/file_error.ts";
import { parseJson } from "../files/parse_json.ts";
import { sha256, shortHash } from "../files/short_hash.ts";
import { readText } from "../files/read_text.ts";
import { writeWhole } from "../files/write_whole.ts";
import { PART_SCHEMA } from "./run_part.ts";

const TEXTS = z.record(z.string(), z.string());

const MANIFEST_SCHEMA = z.looseObject({
  schema_version: z.int(),
  run_id: z.string(),
  started_at: z.string(),
  configuration: z.record(z.string(), z.unknown()),
  configuration_hash: z.string(),
  /** The model's sizes, which the configuration's hash covers. */
  model: z.unknown().optional(),
  /** What each process that measured rows says of itself, in their order; fields above repeat the last one's. */
  parts: z.array(PART_SCHEMA).min(1).optional(),
  /** Whether the run ended before its end; absent while it is under way. */
  interrupted: z.boolean().optional(),
  /** What rows there are: labels by row key, by suite. Absent until the run is sealed. */
  rows: z.record(z.string(), TEXTS).optional(),
  /** SHA-256 of all other files by name. Absent until the run is sealed. */
  files: TEXTS.optional(),
  /** {@linkcode manifestDigest} of all the above. */
  digest: z.string().optional(),
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
  try {
    return parseManifest(readText(path));
  } catch (cause) {
    throw new FileError("read the manifest", path, { cause });
  }
}

/** @throws {SyntaxError} where a text is no manifest: where, what was found, what is legal. */
export function parseManifest(text: string): Manifest {
  const json = parseJson(text);
  const parsed = MANIFEST_SCHEMA.safeParse(json);
  if (parsed.success) return json as Manifest; // with its keys in their order
  const problems = parsed.error.issues.map(({ path, message }) =>
    `${path.join(".") || "the file"}: ${message}`
  );
  throw new SyntaxError(problems.join("; "));
}

/** SHA-256 of a manifest but for its digest, over canonical JSON. It covers all files through their hashes. */
export function manifestDigest({ digest: _digest, ...rest }: Manifest): string {
  return sha256(canonicalJson(rest));
}

/** A manifest as its file has it, with its digest. */
export function manifestText(manifest: Manifest): string {
  const { digest: _old, ...rest } = manifest;
  return `${JSON.stringify({ ...rest, digest: manifestDigest(manifest) }, null, 2)}\n`;
}

/** Writes a manifest in one step: a reader sees the old one or the new one, whole. */
export function writeManifest(folder: string, manifest: Manifest): void {
  writeWhole(join(folder, "manifest.json"), manifestText(manifest));
}

/** Hashes what a configuration and its model's sizes amount to, wherever their files are. */
export function configurationHash(
  { document, model }: {
    readonly document: Readonly<Record<string, unknown>>;
    readonly model: unknown;
  },
): string {
  const { $schema: _schema, model: _path, ...rest } = document;
  return shortHash(canonicalJson({ ...rest, model }));
}
