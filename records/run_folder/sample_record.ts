/** Raw samples of a row: one line of samples.jsonl. */

import { z } from "zod";
import { FileError } from "../files/file_error.ts";
import { shortHash } from "../files/short_hash.ts";
import type { Series } from "../rows/column.ts";

const SAMPLE_RECORD_SCHEMA = z.object({
  row_key: z.string(),
  series: z.record(z.string(), z.array(z.number())),
  row: z.record(z.string(), z.string()).optional(),
  hash: z.string().optional(),
});

/** The samples of a row. */
export interface SampleRecord {
  /** The key of the row in its CSV file. */
  readonly row_key: string;
  /** Lists of samples by name with unit. */
  readonly series: Series;
  /** The row's cells as its CSV file has them, by header. */
  readonly row?: Readonly<Record<string, string>> | undefined;
  /** Hash of all the above: {@linkcode hashRecord}. */
  readonly hash?: string | undefined;
}

/** Hashes a record without its hash: a changed digit changes it. */
export function hashRecord({ row_key, series, row }: Omit<SampleRecord, "hash">): string {
  return shortHash(JSON.stringify([row_key, series, row]));
}

/**
 * Reads samples.jsonl by row key; of several records with one key the last counts.
 *
 * Needs read permission. FileError where it cannot be read; a last line that was cut off is left out.
 */
export function readSamples(path: string): ReadonlyMap<string, SampleRecord> {
  try {
    const lines = wholeLines(Deno.readTextFileSync(path)).split("\n").filter((line) => line !== "");
    const records = lines.map((line) => SAMPLE_RECORD_SCHEMA.parse(JSON.parse(line)));
    return new Map(records.map((record) => [record.row_key, record]));
  } catch (cause) {
    throw new FileError("read samples of", path, { cause });
  }
}

/** How many bytes of a file are whole lines; 0 where it is not there. */
export function wholeLinesBytes(path: string): number {
  try {
    return new TextEncoder().encode(wholeLines(Deno.readTextFileSync(path))).length;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return 0;
    throw new FileError("read samples of", path, { cause });
  }
}

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf("\n") + 1);
}
