import { ValidationError } from "@cliffy/command";

/** One of the legal values of an option; ValidationError that lists them where it is none. */
export function oneOf<T extends string>(option: string, found: string, legal: readonly T[]): T {
  const known = legal.find((value) => value === found.trim());
  if (known !== undefined) return known;
  throw new ValidationError(`Cannot use ${option} "${found}": legal are ${legal.join(", ")}`);
}

/** The legal values of a list with commas between; none where it is absent. */
export function listOf<T extends string>(
  option: string,
  found: string | undefined,
  legal: readonly T[],
): readonly T[] {
  return (found ?? "").split(",").filter((word) => word !== "")
    .map((word) => oneOf(option, word, legal));
}

/** A threshold in %, above 0 and below 100; ValidationError where it is not. */
export function threshold(option: string, found: number): number {
  if (found > 0 && found < 100) return found;
  throw new ValidationError(`Cannot use ${option} "${found}": legal is above 0, below 100`);
}
