/** Whether two runs are of one kind and one machine, so that their times can be compared. */

import type { LoadedRun } from "../records/run_folder/load_run.ts";

/** All values that the rows of a run have in a column. */
const cells = (column: string) => ({ suites }: LoadedRun) =>
  [...new Set(suites.flatMap(({ rows }) => rows.map((row) => row[column] ?? "")))]
    .filter((value) => value !== "").sort().join(", ");

/** What the manifest says of the machine; undefined where it does not. */
const environment = (field: string) => ({ manifest }: LoadedRun): unknown =>
  Object(manifest?.["environment"])[field];

/** What may differ between runs that are compared all the same. */
export type Difference = "adapter" | "dtype" | "schema" | "cpu" | "cores" | "deno";

/** What may differ: its name in messages, and its value of a run; what is undefined does not differ. */
const VALUES = {
  adapter: ["adapter", cells("adapter")],
  dtype: ["dtype", cells("dtype")],
  schema: ["schema_version", cells("schema_version")],
  cpu: ["cpu_model", environment("cpu_model")],
  cores: ["logical_cores", environment("logical_cores")],
  deno: ["deno_version", environment("deno_version")],
} as const satisfies Readonly<Record<Difference, readonly [string, (run: LoadedRun) => unknown]>>;

/** All of them. */
export const DIFFERENCES = Object.keys(VALUES) as readonly Difference[];

/** Runs that are of another kind or machine; `differences` says in what. */
export class ComparisonError extends Error {
  /** `ComparisonError`. */
  override readonly name = "ComparisonError";
  /** What differs, in words. */
  readonly differences: ReadonlyMap<Difference, string>;

  /** Takes what {@linkcode identityDifferences} found. */
  constructor(differences: ReadonlyMap<Difference, string>) {
    super(`Cannot compare: ${[...differences.values()].join("; ")}`);
    this.differences = differences;
  }
}

/**
 * Refuses runs that differ in what is not allowed.
 * @throws {ComparisonError} where one differs from the first.
 */
export function refuseDifferent(
  runs: readonly LoadedRun[],
  allowed: readonly Difference[],
): void {
  const differences = runs.flatMap((run) => [...identityDifferences(runs[0]!, run)])
    .filter(([kind]) => !allowed.includes(kind));
  if (differences.length > 0) throw new ComparisonError(new Map(differences));
}

/** Why two runs cannot be compared; empty where they can. */
export function identityDifferences(
  a: LoadedRun,
  b: LoadedRun,
): ReadonlyMap<Difference, string> {
  const found = new Map<Difference, string>();
  for (const difference of DIFFERENCES) {
    const [name, valueOf] = VALUES[difference];
    const [own, other] = [valueOf(a), valueOf(b)];
    if (own === undefined || other === undefined || own === other) continue;
    found.set(difference, `${name} "${own}" against "${other}"`);
  }
  return found;
}

/** What of a run's machine moves its times: a noise floor holds where all of it is the same. */
export function machineOf(run: LoadedRun): Readonly<Record<string, string>> {
  const parts = (["adapter", "cpu", "cores", "deno"] as const).map((part) => VALUES[part]);
  return Object.fromEntries(
    parts.map(([name, valueOf]) => [name, String(valueOf(run) ?? "unknown")]),
  );
}
