/** The requests that every schedule serves: a number of seeded ones, or those of a trace file. */

import { elementBits, nameKey } from "../../../statistics/counter_generator.ts";
import type { Config } from "../../../config/config.ts";
import type { TimedRequest } from "../../../runtime/serve.ts";

/** When the first request of a trace comes, in s of the trace's clock: arrivals count from it; 0 without a trace. */
export function firstArrivalS({ trace }: Pick<Config, "trace">): number {
  return trace?.reduce((first, { arrival_s }) => Math.min(first, arrival_s), Infinity) ?? 0;
}

/** The requests of a configuration, in the order of their numbers. */
export function requestsOf({ schedules, model, seed, trace }: Config): readonly TimedRequest[] {
  const { requests } = schedules!;
  const prompt = (id: number, length: number) => {
    const key = nameKey(`prompt.${id}`, seed);
    return Array.from({ length }, (_, i) => elementBits(key, i) % model.vocab);
  };
  if (trace) {
    const firstS = firstArrivalS({ trace });
    return trace.map((line, id) => ({
      id,
      promptTokenIds: line.prompt_token_ids ?? prompt(id, line.prompt_tokens!),
      maxTokens: line.output_tokens,
      arrivalMs: 1000 * (line.arrival_s - firstS),
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
