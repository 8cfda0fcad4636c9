import { ValidationError } from "@cliffy/command";
import { type Suite, SUITES } from "../records/rows/suite.ts";

/** The suites of `--only`, all where it is absent; ValidationError where one is unknown. */
export function suitesOf(only: string | undefined): readonly Suite[] {
  if (only === undefined) return SUITES;
  return only.split(",").map((name) => {
    const suite = SUITES.find((known) => known === name.trim());
    if (suite) return suite;
    throw new ValidationError(`Cannot run the suite "${name}": legal are ${SUITES.join(", ")}`);
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
