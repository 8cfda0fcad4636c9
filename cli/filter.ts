import { ValidationError } from "@cliffy/command";
import { oneOf } from "./option_values.ts";
import { type Suite, SUITES } from "../records/rows/suite.ts";

/** The suites of `--only`, all where it is absent; ValidationError where one is unknown. */
export function suitesOf(only: string | undefined): readonly Suite[] {
  if (only === undefined) return SUITES;
  return only.split(",").map((name) => oneOf("--only", name, SUITES));
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
