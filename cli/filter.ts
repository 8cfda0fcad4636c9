import { ValidationError } from "@cliffy/command";
import safeRegex from "safe-regex2";
import { oneOf } from "./option_values.ts";
import { type Suite, SUITES } from "../records/rows/suite.ts";

/** The suites of `--only`, all where it is absent; ValidationError where one is unknown. */
export function suitesOf(only: string | undefined): readonly Suite[] {
  if (only === undefined) return SUITES;
  return only.split(",").map((name) => oneOf("--only", name, SUITES));
}

/**
 * The regular expression of `--filter`; ValidationError where it is none, or repeats what repeats, such as
 * `(a+)+`: matching it could take for ever.
 */
export function filterOf(filter: string | undefined): RegExp | undefined {
  if (filter === undefined) return undefined;
  let regex: RegExp;
  try {
    regex = new RegExp(filter);
  } catch (error) {
    throw new ValidationError(`Cannot use --filter "${filter}": ${(error as Error).message}`);
  }
  if (safeRegex(regex)) return regex;
  throw new ValidationError(
    `Cannot use --filter "${filter}": it repeats what repeats; legal: repetitions that hold none`,
  );
}
