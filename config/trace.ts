/** A trace of requests: JSON lines. */

import { resolve } from "node:path";
import { z } from "zod";
import type { ModelShape } from "../model/shape.ts";
import { type ConfigProblem, describeProblem, showValue } from "./config_error.ts";
import { readText } from "../records/files/read_text.ts";
import { describeReadError } from "../records/files/describe_read_error.ts";

const count = z.int().min(1);
const TRACE_LINE = z.strictObject({
  arrival_s: z.number().min(0),
  prompt_token_ids: z.array(z.int().min(0)).min(1).optional(),
  prompt_tokens: count.optional(),
  output_tokens: count,
}).refine((line) => (line.prompt_tokens === undefined) !== (line.prompt_token_ids === undefined));

/**
 * A line of a trace file.
 * @internal
 */
export type TraceLine = z.output<typeof TRACE_LINE>;

const LEGAL_LINE =
  'a JSON object with "arrival_s", "output_tokens", and either "prompt_tokens" or "prompt_token_ids"';

/** Reads a trace, JSON lines; every bad line is a problem. */
export function readTrace(
  path: string,
  { folder, model }: { readonly folder: string; readonly model: ModelShape },
): { readonly lines: readonly TraceLine[]; readonly problems: readonly ConfigProblem[] } {
  const key = "schedules.requests.trace";
  let text: string;
  try {
    text = readText(resolve(folder, path));
  } catch (error) {
    const found = `"${path}", which ${describeReadError(error)}`;
    return { lines: [], problems: [describeProblem({ path: key, found }, "a file of JSON lines")] };
  }
  const longest = Math.min(model.maxPositions, model.slidingWindow ?? Infinity);
  const lines: TraceLine[] = [];
  const problems: ConfigProblem[] = [];
  for (const [place, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const where = { path: `${key} line ${place + 1}`, found: showValue(line) };
    const parsed = TRACE_LINE.safeParse(parseJson(line));
    if (!parsed.success) {
      problems.push(describeProblem(where, LEGAL_LINE));
      continue;
    }
    const { prompt_token_ids: ids = [], prompt_tokens = ids.length, output_tokens } = parsed.data;
    if (ids.some((id) => id >= model.vocab)) {
      problems.push(describeProblem(where, `token ids below ${model.vocab}`));
    }
    if (prompt_tokens + output_tokens > longest) {
      problems.push(describeProblem(where, `prompt and output of at most ${longest} positions`));
    }
    lines.push(parsed.data);
  }
  if (lines.length === 0 && problems.length === 0) {
    const where = { path: key, found: `"${path}", which has no lines` };
    problems.push(describeProblem(where, "a line or more"));
  }
  return { lines, problems };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
