import { ValidationError } from "@cliffy/command";

/** The regular expression of `--filter`; ValidationError where it is none or a suite is unknown. */
export function filterOf(filter: string | undefined, only: string | undefined): RegExp | undefined {
  for (const suite of only?.split(",") ?? []) {
    if (suite !== "kernels") {
      throw new ValidationError(`Cannot run the suite "${suite}": legal is kernels`);
    }
  }
  if (filter === undefined) return undefined;
  try {
    return new RegExp(filter);
  } catch (error) {
    throw new ValidationError(`Cannot use --filter "${filter}": ${(error as Error).message}`);
  }
}
