import { ValidationError } from "@cliffy/command";

/** Suites that can be run, in the order in which they are. */
export const RUNNABLE = ["kernels", "collectives", "schedules"] as const;

/** The name of a suite that can be run. */
export type RunnableSuite = typeof RUNNABLE[number];

/** The suites of `--only`, all where it is absent; ValidationError where one is unknown. */
export function suitesOf(only: string | undefined): readonly RunnableSuite[] {
  if (only === undefined) return RUNNABLE;
  return only.split(",").map((name) => {
    const suite = RUNNABLE.find((known) => known === name.trim());
    if (suite) return suite;
    throw new ValidationError(`Cannot run the suite "${name}": legal are ${RUNNABLE.join(", ")}`);
  });
}

/** The regular expression of `--filter`; ValidationError where it is none. */
export function filterOf(filter: string | undefined): RegExp | undefined {
  if (filter === undefined) return undefined;
  try {
    return new RegExp(filter);
  } catch (error) {
    throw new ValidationError(`Cannot use --filter "${filter}": ${(error as Error).message}`);
  }
}
