/** What is wrong with a configuration. */

import { fewLines } from "../records/files/few_lines.ts";

/** One thing wrong with a configuration. */
export interface ConfigProblem {
  /** Where, in the notation of `--set`: `kernels.tokens.1`; empty for the file as a whole. */
  readonly path: string;
  /** What stands there, in words. */
  readonly found: string;
  /** What may stand there, in words. */
  readonly legal: string;
  /** The three above in one line. */
  readonly message: string;
}

/** A configuration that cannot be used; carries every problem at once. */
export class ConfigError extends Error {
  /** Always "ConfigError". */
  override readonly name = "ConfigError";
  /** All problems of one file. */
  constructor(readonly file: string, readonly problems: readonly ConfigProblem[]) {
    const count = `${problems.length} problem${problems.length === 1 ? "" : "s"}`;
    const lines = fewLines(problems.map(({ message }) => message));
    super([`Cannot use configuration "${file}": ${count}`, ...lines].join("\n  "));
  }
}

/** Makes a problem with its one-line message; `why` ends the line where the rule needs words. */
export function describeProblem(
  where: { readonly path: string; readonly found: string },
  legal: string,
  { why }: { readonly why?: string } = {},
): ConfigProblem {
  const at = where.path === "" ? "the file" : where.path;
  const message = `${at}: found ${where.found}; legal: ${legal}${why ? ` (${why})` : ""}`;
  return { ...where, legal, message };
}

/** Shows a value of a configuration in an error: as JSON, cut short where it is long. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
