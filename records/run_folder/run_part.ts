/** Parts of a run: what each process that measured rows of it says of itself in the manifest. */

import { z } from "zod";
import { canonicalJson } from "../files/canonical_json.ts";
import { SUITES } from "../rows/suite.ts";
import { RECORDED_VARIABLES } from "./environment.ts";

/** Which cases a part measured. */
const SELECTION_SCHEMA = z.object({ suites: z.array(z.string()), filter: z.string().nullable() });

/** A part in the manifest: these fields and whatever else the process says of itself. */
export const PART_SCHEMA = z.looseObject({
  started_at: z.string(),
  /** Absent where the process was killed, or runs. */
  ended_at: z.string().optional(),
  environment: z.looseObject({}),
  adapter: z.looseObject({}),
  selection: SELECTION_SCHEMA,
  /** Hash of each shader's text, by kernel/variant. */
  shaders: z.record(z.string(), z.string()).optional(),
  /** What of the part before differed when it was resumed all the same. */
  resumed_anyway: z.array(z.string()).optional(),
});

/**
 * A part of a run.
 * @internal
 */
export type RunPart = Readonly<z.output<typeof PART_SCHEMA>>;

/** What a process says of itself before it measures. */
export interface NewPart {
  readonly environment: Readonly<Record<string, unknown>>;
  readonly adapter: Readonly<Record<string, unknown>>;
  readonly selection: RunPart["selection"];
}

/**
 * What a manifest says of its run as a whole: the fields of the last part, the shaders of all, and what any
 * of them selected.
 */
export function fieldsOfParts(parts: readonly RunPart[]): Readonly<Record<string, unknown>> {
  const { started_at: _start, ended_at: _end, resumed_anyway: _anyway, ...last } = parts.at(-1)!;
  const shaders = parts.flatMap((part) => Object.entries(part.shaders ?? {}));
  const selections = parts.map(({ selection }) => selection);
  const filters = [...new Set(selections.map(({ filter }) => filter))];
  return {
    ...last,
    selection: {
      suites: SUITES.filter((suite) => selections.some(({ suites }) => suites.includes(suite))),
      filter: filters.length === 1
        ? filters[0]
        : filters.includes(null)
        ? null
        : filters.map((filter) => `(?:${filter})`).join("|"),
    },
    ...(shaders.length > 0 && { shaders: Object.fromEntries(shaders) }),
  };
}

/** What must be the same in all parts of a run: its name in messages, and its value of a part. */
const SAME: Readonly<Record<string, (part: NewPart) => unknown>> = {
  adapter: ({ adapter }) => `${adapter["name"]} (${adapter["type"]})`,
  // A driver's version is in the adapter's name, if anywhere; what it offers is said apart.
  "driver (features and limits of the adapter)": ({ adapter: { name: _, type: __, ...rest } }) =>
    canonicalJson(rest),
  commit: ({ environment }) => Object(environment["commit"]).id,
  "sources (sources_hash)": ({ environment }) => environment["sources_hash"],
  deno_version: ({ environment }) => environment["deno_version"],
  os_release: ({ environment }) => environment["os_release"],
  cpu_model: ({ environment }) => environment["cpu_model"],
  logical_cores: ({ environment }) => environment["logical_cores"],
  ...Object.fromEntries(
    RECORDED_VARIABLES.filter((name) => name !== "NO_COLOR").map((name) => [
      name,
      ({ environment }) => Object(environment["variables"])[name],
    ]),
  ),
};

/** What of a part differs from the one before, in words; rows of both would not be of one kind. */
export function partDifferences(before: NewPart, now: NewPart): readonly string[] {
  return Object.entries(SAME).flatMap(([name, valueOf]) => {
    const [was, is] = [valueOf(before) ?? null, valueOf(now) ?? null];
    if (was === is) return [];
    const isShort = `${was}${is}`.length < 200;
    return [isShort ? `${name} was ${was} and is ${is}` : `${name} differ`];
  });
}
