/** Whether a manifest is what was written, and whether the rows and files of its folder are those it names. */

import type { LoadedSuite } from "../records/run_folder/load_run.ts";
import {
  configurationHash,
  type Manifest,
  manifestDigest,
  manifestText,
} from "../records/run_folder/manifest.ts";
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
  const canaryUs = canaryOf(manifest["canary_readings_us"]);
  if (canaryUs !== undefined && manifest["canary_us"] !== canaryUs) {
    say("canary_us", [String(manifest["canary_us"]), `${canaryUs}, of its readings`]);
  }
  const hash = configurationHash({ document: configuration, model });
  if (configuration_hash !== hash) {
    say("configuration_hash", [configuration_hash, `${hash}, of configuration and model`]);
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

/** Rows of another adapter than the manifest's, or than those of sessions before a resume. */
export function adapterContradictions(
  manifest: Manifest,
  { suite, rows }: LoadedSuite,
): readonly Contradiction[] {
  const sessions = [manifest, ...[manifest["earlier_sessions"] ?? []].flat()];
  const known = sessions.map((session) => Object(Object(session).adapter));
  const names = known.map(({ name, type }) => `${name} (${type})`);
  return rows.flatMap((row, place) => {
    const name = `${row["adapter"]} (${row["adapter_type"]})`;
    if (row["adapter"] === "" || names.includes(name)) return [];
    const pair = [name, names.join(" or ")] as const;
    const row_key = row["row_key"] ?? "";
    return [{ ...ofFile(`${suite}.csv`, "adapter", pair), row: place + 1, row_key }];
  });
}
