import { assertThrows } from "@std/assert";
import { resolveConfig, type SizeOptions } from "../../config/config.ts";
import { ConfigError } from "../../config/config_error.ts";

/** The model of {@linkcode resolved} configurations: 32 layers, 32 heads, 4096 positions. */
export const MODEL = new URL("../../models/mistral_7b.json", import.meta.url).pathname;
/** The least that schedules need. */
export const REQUESTS = { count: 1, prompt_tokens: 4, output_tokens: 2 };

interface Changes {
  readonly set?: readonly string[];
  readonly sizes?: SizeOptions;
}

/** A configuration of these keys, of a file `my run.json`. */
export function resolved(keys: Readonly<Record<string, unknown>>, changes: Changes = {}) {
  return resolveConfig({ model: MODEL, ...keys }, { path: "some/my run.json", ...changes });
}

/** What a configuration is refused for, a line each. */
export function refusals(
  keys: Readonly<Record<string, unknown>>,
  changes: Changes = {},
): readonly string[] {
  const { problems } = assertThrows(() => resolved(keys, changes), ConfigError);
  return problems.map(({ message }) => message);
}
