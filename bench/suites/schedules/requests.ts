/** The requests that every schedule serves: a number of seeded ones, or those of a trace file. */

import { dirname, resolve } from "node:path";
import { z } from "zod";
import { elementBits, nameKey } from "../../../statistics/counter_generator.ts";
import type { ModelShape } from "../../../model/shape.ts";
import type { Config } from "../../../config/config.ts";
import { type ConfigProblem, describeProblem, showValue } from "../../../config/config_error.ts";
import { describeReadError } from "../../../records/files/describe_read_error.ts";
import type { TimedRequest } from "../../../runtime/serve.ts";

const count = z.int().min(1);
const TRACE_LINE = z.strictObject({
  arrival_s: z.number().min(0),
  prompt_token_ids: z.array(z.int().min(0)).min(1).optional(),
  prompt_tokens: count.optional(),
  output_tokens: count,
}).refine((line) => (line.prompt_tokens === undefined) !== (line.prompt_token_ids === undefined));

/** A line of a trace file. */
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
    text = Deno.readTextFileSync(resolve(folder, path));
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

/** The requests of a configuration, in the order of their numbers. */
export function requestsOf(
  { schedules, model, seed, trace, path }: Config,
): readonly TimedRequest[] {
  const { requests } = schedules!;
  const prompt = (id: number, length: number) => {
    const key = nameKey(`prompt.${id}`, seed);
    return Array.from({ length }, (_, i) => elementBits(key, i) % model.vocab);
  };
  if (requests.trace !== undefined) {
    const lines = trace ?? readTrace(requests.trace, { folder: dirname(path), model }).lines;
    return lines.map((line, id) => ({
      id,
      promptTokenIds: line.prompt_token_ids ?? prompt(id, line.prompt_tokens!),
      maxTokens: line.output_tokens,
      arrivalMs: 1000 * line.arrival_s,
    }));
  }
  const rate = requests.arrival_rate_per_s;
  const key = nameKey("arrivals", seed);
  let arrivalMs = 0;
  return Array.from({ length: requests.count! }, (_, id) => {
    // Gaps of a Poisson process are exponential; the first request comes at once.
    if (rate !== undefined && id > 0) {
      const uniform = (elementBits(key, id) + 1) / 2 ** 32;
      arrivalMs += -Math.log(uniform) / rate * 1000;
    }
    return {
      id,
      promptTokenIds: prompt(id, requests.prompt_tokens!),
      maxTokens: requests.output_tokens!,
      arrivalMs,
    };
  });
}

/** What rows say of requests. */
export function describeRequests(
  { schedules }: Config,
  requests: readonly TimedRequest[],
): {
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly output_tokens: number;
  readonly arrivals: string;
} {
  const { trace, arrival_rate_per_s: rate } = schedules!.requests;
  const mean = (of: (request: TimedRequest) => number) =>
    Math.round(requests.reduce((sum, request) => sum + of(request), 0) / requests.length);
  return {
    requests: requests.length,
    prompt_tokens: mean((request) => request.promptTokenIds.length),
    output_tokens: mean((request) => request.maxTokens),
    arrivals: trace !== undefined ? "trace" : rate !== undefined ? `poisson ${rate}/s` : "at once",
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
