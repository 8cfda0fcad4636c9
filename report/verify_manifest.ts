/** Whether a manifest is what was written, and whether the rows and files of its folder are those it names. */

import { canonicalJson } from "../records/files/canonical_json.ts";
import type { LoadedSuite } from "../records/run_folder/load_run.ts";
import {
  configurationHash,
  type Manifest,
  manifestDigest,
  manifestText,
} from "../records/run_folder/manifest.ts";
import { fieldsOfParts } from "../records/run_folder/run_part.ts";
import { hashFiles, type RunFiles } from "../records/run_folder/run_files.ts";
import { label } from "../records/rows/row.ts";
import { median } from "../statistics/summary.ts";

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

/** A contradiction of a whole file. */
export function ofFile(
  file: string,
  column: string,
  [found, expected]: readonly [string, string],
): Contradiction {
  return { file, row: undefined, row_key: "", column, found, expected };
}

/** What of a manifest's text, as it lies in the folder, contradicts itself. */
export function manifestContradictions(text: string, manifest: Manifest): readonly Contradiction[] {
  const { digest, configuration, configuration_hash, model } = manifest;
  const found: Contradiction[] = [];
  const say = (column: string, pair: readonly [string, string]) =>
    found.push(ofFile("manifest.json", column, pair));
  const own = manifestDigest(manifest);
  if (digest !== own) say("digest", [digest ?? "none", `${own}, of what it says`]);
  else if (text !== manifestText(manifest)) {
    say("text", ["other spaces, order or keys given twice", "the text that was written"]);
  }
  for (const [place, part] of (manifest.parts ?? []).entries()) {
    const canaryUs = canaryOf(part["canary_readings_us"]);
    if (canaryUs !== undefined && part["canary_us"] !== canaryUs) {
      say(`parts.${place}.canary_us`, [
        String(part["canary_us"]),
        `${canaryUs}, of its readings`,
      ]);
    }
  }
  const hash = configurationHash({ document: configuration, model });
  if (configuration_hash !== hash) {
    say("configuration_hash", [configuration_hash, `${hash}, of configuration and model`]);
  }
  return found;
}

/**
 * What of a manifest's parts contradicts itself or the rest: fields of the whole run are those of its parts,
 * which follow each other.
 */
export function partContradictions(manifest: Manifest): readonly Contradiction[] {
  const { parts, started_at, files } = manifest;
  const found: Contradiction[] = [];
  const say = (column: string, pair: readonly [string, string]) =>
    found.push(ofFile("manifest.json", column, pair));
  if (!parts) {
    say("parts", ["none", "the parts that measured the run"]);
    return found;
  }
  for (const [field, expected] of Object.entries(fieldsOfParts(parts))) {
    const [own, whole] = [manifest[field], expected].map((value) => canonicalJson(value ?? null));
    if (own !== whole) say(field, [own!, `${whole}, of the parts`]);
  }
  let last = started_at;
  if (parts[0]!.started_at !== started_at) {
    say("parts.0.started_at", [parts[0]!.started_at, `${started_at}, of the run`]);
  }
  for (const [place, part] of parts.entries()) {
    for (const field of ["started_at", "ended_at"] as const) {
      const time = part[field];
      if (time === undefined) continue; // killed, or under way
      if (!(Date.parse(time) >= Date.parse(last))) {
        say(`parts.${place}.${field}`, [time, `a time from ${last} on`]);
      }
      last = time;
    }
  }
  if (files !== undefined && parts.at(-1)!.ended_at === undefined) {
    say(`parts.${parts.length - 1}.ended_at`, ["none", "when the run was sealed"]);
  }
  return found;
}

/** Time of the canary's work: the median of each kind's readings, added up. */
function canaryOf(readings: unknown): number | undefined {
  if (!Array.isArray(readings) || !Array.isArray(readings[0])) return undefined;
  const kinds = [...readings[0].keys()].map((kind) =>
    median(readings.map((times) => Number(times[kind])))
  );
  return kinds.reduce((sum, us) => sum + us, 0);
}

/** Files whose hash is not the manifest's, files that are missing, and files that it does not name. */
export function fileContradictions(
  { files: expected = {} }: Manifest,
  files: RunFiles,
): readonly Contradiction[] {
  const found = hashFiles(files);
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])]
    .filter((name) => found[name] !== expected[name])
    .map((name) =>
      ofFile(name, "hash", [found[name] ?? "no such file", expected[name] ?? "no such file"])
    );
}

/** Rows that the manifest names and a suite's file has not, and the other way round. */
export function rowContradictions(
  { rows = {} }: Manifest,
  suites: readonly LoadedSuite[],
): readonly Contradiction[] {
  const names = new Set([...Object.keys(rows), ...suites.map(({ suite }) => suite)]);
  return [...names].flatMap((name) => {
    const own = suites.find(({ suite }) => suite === name);
    const found = new Map(own?.rows.map((row) => [row["row_key"] ?? "", label(own.suite, row)]));
    const expected = new Map(Object.entries(rows[name] ?? {}));
    return [...new Set([...found.keys(), ...expected.keys()])]
      .filter((key) => found.get(key) !== expected.get(key))
      .map((row_key) => ({
        ...ofFile(`${name}.csv`, "row_key", [
          found.get(row_key) ?? "no such row",
          expected.get(row_key) ?? "no such row",
        ]),
        row_key,
      }));
  });
}

/** Rows of another adapter than those of the manifest's parts. */
export function adapterContradictions(
  manifest: Manifest,
  { suite, rows }: LoadedSuite,
): readonly Contradiction[] {
  const names = (manifest.parts ?? []).map(({ adapter }) =>
    `${adapter["name"]} (${adapter["type"]})`
  );
  return rows.flatMap((row, place) => {
    const name = `${row["adapter"]} (${row["adapter_type"]})`;
    if (row["adapter"] === "" || names.includes(name)) return [];
    const pair = [name, names.join(" or ")] as const;
    const row_key = row["row_key"] ?? "";
    return [{ ...ofFile(`${suite}.csv`, "adapter", pair), row: place + 1, row_key }];
  });
}
