import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { BatchSize } from "../../model/stage_program.ts";
import { type Decoder, type DecoderTimes, Generation } from "../../runtime/generation.ts";
import type { SchedulerOutput } from "../../schedules/scheduler.ts";

/** A decoder of three tokens a batch that says how many tokens it has seen; a step takes 100 us a token. */
function fakeDecoder({ gpuShare = 0.75 }: { readonly gpuShare?: number | undefined } = {}) {
  const prepared: BatchSize[] = [];
  const times: DecoderTimes[] = [];
  const decoder: Decoder = {
    maxTokens: 3,
    executor: {
      maxConcurrentBatches: 1,
      submit: ({ scheduled }: SchedulerOutput) => {
        const count = scheduled.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
        const hostUs = 100 * count;
        if (count > 0) times.push({ hostUs, gpuUs: gpuShare < 0 ? undefined : gpuShare * hostUs });
        const sampled = scheduled.filter(({ isSampled }) => isSampled);
        return Promise.resolve({
          tokenIds: sampled.map(({ start, tokenIds }) => start + tokenIds.length),
        });
      },
    },
    prepare: (sizes) => Promise.resolve(void prepared.push(...sizes)),
    logits: () => Promise.resolve([]),
    times: () => Promise.resolve(times.splice(0)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { decoder, prepared };
}

async function drained(generation: Generation): Promise<readonly number[]> {
  const tokenIds: number[] = [];
  for await (const tokenId of generation.tokens()) tokenIds.push(tokenId);
  return tokenIds;
}

Deno.test("a prompt is taken in by chunks; each later token has a step of its own", async () => {
  const { decoder, prepared } = fakeDecoder();
  const generation = new Generation(decoder, { promptTokenIds: [9, 8, 7, 6, 5], maxTokens: 4 });
  assertEquals(await drained(generation), [5, 6, 7, 8]);
  assertEquals(prepared, [
    { tokens: 1, logitsRows: 1 },
    { tokens: 3, logitsRows: 0 },
    { tokens: 2, logitsRows: 1 },
  ]);
  const speed = await generation.speed();
  assertEquals([speed.prefill_tokens, speed.decode_tokens], [5, 3]);
  assertAlmostEquals(speed.prefill_tokens_per_s, 5 / 500e-6, 1e-6);
  assertAlmostEquals(speed.decode_tokens_per_s, 3 / 300e-6, 1e-6);
  assertAlmostEquals(speed.host_overhead_pct, 25, 1e-9);
  assertEquals(await generation.speed(), speed, "asked again");
});

Deno.test("a prompt of whole chunks samples with the last one; one token needs no decode step", async () => {
  const { decoder, prepared } = fakeDecoder();
  const generation = new Generation(decoder, { promptTokenIds: [1, 2, 3], maxTokens: 1 });
  assertEquals(await drained(generation), [3]);
  assertEquals(prepared.slice(1), [{ tokens: 3, logitsRows: 1 }]);
  const { decode_tokens, decode_tokens_per_s, host_overhead_pct } = await generation.speed();
  assertEquals([decode_tokens, decode_tokens_per_s, host_overhead_pct], [0, 0, 0]);
});

Deno.test("batches of every size that a prompt's chunks have are made ready, one for each later token", async () => {
  const sizes = async (length: number) => {
    const { decoder, prepared } = fakeDecoder();
    await drained(new Generation(decoder, { promptTokenIds: Array(length).fill(1), maxTokens: 1 }));
    return prepared.map(({ tokens, logitsRows }) => `${tokens} ${logitsRows}`);
  };
  assertEquals(await sizes(1), ["1 1", "1 1"]);
  assertEquals(await sizes(4), ["1 1", "3 0", "1 1"]);
  assertEquals(await sizes(6), ["1 1", "3 0", "3 1"]);
});

Deno.test("without an adapter's clock no overhead is claimed", async () => {
  const { decoder } = fakeDecoder({ gpuShare: -1 });
  const generation = new Generation(decoder, { promptTokenIds: [1], maxTokens: 3 });
  await drained(generation);
  assertEquals((await generation.speed()).host_overhead_pct, 0);
});

Deno.test("generations of a decoder follow each other, each with its own times", async () => {
  const { decoder } = fakeDecoder();
  const make = (tokens: number) =>
    new Generation(decoder, {
      promptTokenIds: Array.from({ length: tokens }, () => 1),
      maxTokens: 2,
    });
  const [first, second] = [make(2), make(3)];
  const begun = first.tokens();
  await begun.next();
  await assertRejects(() => second.tokens().next(), Error, "has not ended");
  for await (const _ of begun);
  assertEquals(await drained(second), [3, 4]);
  // Steps of the first are its own, though they were asked for when the second had begun.
  assertAlmostEquals((await first.speed()).prefill_tokens_per_s, 2 / 200e-6, 1e-6);
  assertAlmostEquals((await second.speed()).prefill_tokens_per_s, 3 / 300e-6, 1e-6);
  assertEquals([(await first.speed()).decode_tokens, (await second.speed()).decode_tokens], [1, 1]);
});
