/** Raw samples of a row: one line of samples.jsonl. */

import { z } from "zod";
import { FileError } from "../files/file_error.ts";
import { readMarkedText, readText, withoutMark } from "../files/read_text.ts";
import { shortHash } from "../files/short_hash.ts";
import type { Facts, Series } from "../rows/column.ts";

const SAMPLE_RECORD_SCHEMA = z.object({
  row_key: z.string(),
  series: z.record(z.string(), z.array(z.number())),
  facts: z.record(z.string(), z.number()).optional(),
  row: z.record(z.string(), z.string()).optional(),
  hash: z.string().optional(),
});

/** The samples of a row. */
export interface SampleRecord {
  /** The key of the row in its CSV file. */
  readonly row_key: string;
  /** Lists of samples by name with unit. */
  readonly series: Series;
  /** Single numbers that cells are computed from, by name with unit. */
  readonly facts?: Facts | undefined;
  /** The row's cells as its CSV file has them, by header. */
  readonly row?: Readonly<Record<string, string>> | undefined;
  /** Hash of all the above: {@linkcode hashRecord}. */
  readonly hash?: string | undefined;
}

/** The file of a run folder that has its raw samples. */
export const SAMPLES_FILE = "samples.jsonl";

/** A record as a line of that file, with its hash. */
export function sampleLine({ row_key, series, facts, row }: Omit<SampleRecord, "hash">): string {
  const record = { row_key, series, facts, row };
  return `${JSON.stringify({ ...record, hash: hashRecord(record) })}\n`;
}

/** Hashes a record without its hash: a changed digit changes it. */
export function hashRecord({ row_key, series, facts, row }: Omit<SampleRecord, "hash">): string {
  return shortHash(JSON.stringify([row_key, series, facts, row]));
}

/**
 * Reads samples.jsonl by row key; of several records with one key the last counts.
 *
 * Needs read permission. FileError where it cannot be read; a last line that was cut off is left out.
 */
export function readSamples(path: string): ReadonlyMap<string, SampleRecord> {
  try {
    return parseSamples(readText(path));
  } catch (cause) {
    throw new FileError("read samples of", path, { cause });
  }
}

/** As {@linkcode readSamples}, from text. @throws {SyntaxError} where a line is no record. */
export function parseSamples(text: string): ReadonlyMap<string, SampleRecord> {
  const lines = wholeLines(withoutMark(text)).split("\n").filter((line) => line !== "");
  const records = lines.map((line, place): SampleRecord => {
    const parsed = SAMPLE_RECORD_SCHEMA.safeParse(jsonLine(line, place + 1));
    if (parsed.success) return parsed.data;
    throw new SyntaxError(`line ${place + 1} has not the samples of a row`);
  });
  return new Map(records.map((record) => [record.row_key, record]));
}

function jsonLine(line: string, place: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new SyntaxError(`line ${place} is no JSON`);
  }
}

/** How many bytes of a file are whole lines; 0 where it is not there. */
export function wholeLinesBytes(path: string): number {
  try {
    return new TextEncoder().encode(wholeLines(readMarkedText(path))).length;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return 0;
    throw new FileError("read samples of", path, { cause });
  }
}

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf("\n") + 1);
}
