import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  describeRequests,
  firstArrivalS,
  requestsOf,
} from "../../../bench/suites/schedules/requests.ts";
import type { Config } from "../../../config/config.ts";
import { elementBits, nameKey } from "../../../statistics/counter_generator.ts";

function config(requests: object, trace?: object[]): Config {
  return { schedules: { requests }, model: { vocab: 100 }, seed: 3, trace } as unknown as Config;
}

/** The tokens of a request's prompt: numbers of its name and the seed, below the vocabulary. */
function prompt(id: number, length: number): readonly number[] {
  return Array.from({ length }, (_, i) => elementBits(nameKey(`prompt.${id}`, 3), i) % 100);
}

const SEEDED = { count: 4, prompt_tokens: 5, output_tokens: 7 };

Deno.test("seeded requests have prompts of their own, of so many tokens, and come at once", () => {
  assertEquals(
    requestsOf(config(SEEDED)),
    [0, 1, 2, 3].map((id) => ({
      id,
      promptTokenIds: prompt(id, 5),
      maxTokens: 7,
      arrivalMs: 0,
    })),
  );
});

Deno.test("requests of a rate come a Poisson process apart, the first one at once", () => {
  const arrivals = requestsOf(config({ ...SEEDED, arrival_rate_per_s: 2 }))
    .map(({ arrivalMs }) => arrivalMs);
  const gaps = [1, 2, 3].map((id) =>
    -Math.log((elementBits(nameKey("arrivals", 3), id) + 1) / 2 ** 32) * 500
  );
  const expected = [0, gaps[0]!, gaps[0]! + gaps[1]!, gaps[0]! + gaps[1]! + gaps[2]!];
  arrivals.forEach((ms, i) => assertAlmostEquals(ms, expected[i]!, 1e-9));
  const many = requestsOf(config({ ...SEEDED, count: 2000, arrival_rate_per_s: 2 }));
  assertAlmostEquals(many.at(-1)!.arrivalMs / 1999, 500, 50, "the mean gap is 1 / rate");
});

Deno.test("a trace says when requests come and what they ask; prompts that it does not have are seeded", () => {
  const trace = [
    { arrival_s: 0, prompt_token_ids: [9, 8], output_tokens: 2 },
    { arrival_s: 1.5, prompt_tokens: 3, output_tokens: 4 },
  ];
  const found = requestsOf(config({ trace: "a.jsonl" }, trace));
  assertEquals(found, [
    { id: 0, promptTokenIds: [9, 8], maxTokens: 2, arrivalMs: 0 },
    { id: 1, promptTokenIds: prompt(1, 3), maxTokens: 4, arrivalMs: 1500 },
  ]);
  assertEquals(describeRequests(config({ trace: "a.jsonl" }, trace), found), {
    requests: 2,
    prompt_tokens: 3, // 2.5, rounded
    output_tokens: 3,
    arrivals: "trace",
  });
});

Deno.test("rows say how many requests there were, their mean sizes and how they came", () => {
  const of = (requests: object) => {
    const one = config(requests);
    return describeRequests(one, requestsOf(one));
  };
  const sizes = { requests: 4, prompt_tokens: 5, output_tokens: 7 };
  assertEquals(of(SEEDED), { ...sizes, arrivals: "at once" });
  assertEquals(of({ ...SEEDED, arrival_rate_per_s: 2.5 }), { ...sizes, arrivals: "poisson 2.5/s" });
});

Deno.test("arrivals of a trace count from its first, such as seconds since 1970", () => {
  const line = (arrival_s: number) => ({ arrival_s, prompt_tokens: 1, output_tokens: 1 });
  const traced = config({}, [1.7e9 + 2, 1.7e9, 1.7e9 + 0.5].map(line));
  assertEquals(firstArrivalS(traced), 1.7e9);
  assertEquals(requestsOf(traced).map(({ arrivalMs }) => arrivalMs), [2000, 0, 500]);
  assertEquals(firstArrivalS(config(SEEDED)), 0);
});
