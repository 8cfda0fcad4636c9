import { shortHash } from "../files/short_hash.ts";
import { places, portablePath } from "./portable_paths.ts";

/** What of a configuration a run folder keeps. */
export interface RunConfiguration {
  readonly name: string;
  /** The configuration as plain JSON. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The model's sizes, whatever file they came from. */
  readonly model: unknown;
  /** The absolute path of the model's config.json. */
  readonly modelPath: string;
  /** The lines of the trace that requests come from, where they do. */
  readonly trace?: readonly unknown[];
}

/** A file of a run folder. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/**
 * A configuration as the manifest of a folder has it, and the copy of its trace that lies beside it, named by
 * a hash of its lines: a run needs no other file to be replayed than its model's.
 */
export function runConfiguration(
  { document, modelPath, trace: lines }: RunConfiguration,
  folder: string,
): { readonly configuration: Readonly<Record<string, unknown>>; readonly trace?: TextFile } {
  const configuration = {
    ...document,
    model: portablePath(modelPath, { ...places(), folder }),
  };
  if (!lines) return { configuration };
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const name = `trace_${shortHash(text)}.jsonl`;
  const schedules = Object(document["schedules"]);
  const requests = { ...schedules.requests, trace: name };
  return {
    configuration: { ...configuration, schedules: { ...schedules, requests } },
    trace: { name, text },
  };
}
