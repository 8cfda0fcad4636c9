/** Whether two runs are of one kind and one machine, so that their times can be compared. */

import type { LoadedRun } from "../records/run_folder/load_run.ts";

/** All values that the rows of a run have in a column. */
const cells = (column: string) => ({ suites }: LoadedRun) =>
  [...new Set(suites.flatMap(({ rows }) => rows.map((row) => row[column] ?? "")))]
    .filter((value) => value !== "").sort().join(", ");

/** What the manifest says of the machine; undefined where it does not. */
const environment = (field: string) => ({ manifest }: LoadedRun): unknown =>
  Object(manifest?.["environment"])[field];

/** What may differ: its name in messages, and its value of a run; what is undefined does not differ. */
const VALUES = {
  adapter: ["adapter", cells("adapter")],
  dtype: ["dtype", cells("dtype")],
  schema: ["schema_version", cells("schema_version")],
  cpu: ["cpu_model", environment("cpu_model")],
  cores: ["logical_cores", environment("logical_cores")],
  deno: ["deno_version", environment("deno_version")],
} as const satisfies Readonly<Record<string, readonly [string, (run: LoadedRun) => unknown]>>;

/** What may differ between runs that are compared all the same. */
export type Difference = keyof typeof VALUES;

/** All of them. */
export const DIFFERENCES = Object.keys(VALUES) as readonly Difference[];

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
