import { parse, stringify } from "@std/csv";
import { join } from "node:path";
import type { RankGroup } from "./collective_cases.ts";
import type { LinkFit } from "../../../statistics/link_fit.ts";
import { FileError } from "../../../records/files/file_error.ts";

const HEADERS = [
  "transport",
  "memory",
  "ranks",
  "alpha_us",
  "alpha_us_ci_low",
  "alpha_us_ci_high",
  "bandwidth_gbytes_per_s",
  "bandwidth_ci_low",
  "bandwidth_ci_high",
  "held_out_error_pct",
] as const;

/** Adds the fit of a link to links.csv in a run folder, in place of an older one of the same link. */
export function writeLink(folder: string, group: RankGroup, fit: LinkFit): void {
  const path = join(folder, "links.csv");
  try {
    const key = [group.transport, group.memory, String(group.ranks)];
    const others = readRows(path).filter((row) => key.some((cell, i) => row[i] !== cell));
    const numbers = [
      fit.alphaUs,
      fit.alphaLow,
      fit.alphaHigh,
      fit.gbytesPerS,
      fit.bandwidthLow,
      fit.bandwidthHigh,
      fit.heldOutErrorPct,
    ].map((value) => value === undefined ? "" : String(Number(value.toPrecision(7))));
    const part = `${path}.part`;
    Deno.writeTextFileSync(part, stringify([[...HEADERS], ...others, [...key, ...numbers]]));
    Deno.renameSync(part, path);
  } catch (cause) {
    throw new FileError("write links to", path, { cause });
  }
}

function readRows(path: string): readonly (readonly string[])[] {
  try {
    return parse(Deno.readTextFileSync(path)).slice(1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
