import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkTokens, judgeTokens } from "../../../bench/suites/schedules/reference_tokens.ts";
import type { ScheduleWork } from "../../../bench/suites/schedules/schedule_cases.ts";
import { ReferenceDecoder } from "../../../model/reference_decoder.ts";
import type { ModelShape } from "../../../model/shape.ts";
import { wholeDecoder } from "../../../model/stage_program.ts";
import { dummy, tinyModel } from "../../runtime/tiny.ts";

const CACHE = {
  dtype: "float32",
  maxNumSeqs: 2,
  maxModelLen: 64,
  maxNumBatchedTokens: 64,
  maxStorageBufferBindingSize: 2 ** 27,
} as const;

/** Two requests, of which the second one is shorter. */
function workOf(model: ModelShape): ScheduleWork {
  const request = (id: number, length: number) => ({
    id,
    promptTokenIds: Array.from({ length }, (_, i) => (7 * i + 3) % model.vocab),
    maxTokens: 4,
    arrivalMs: 0,
  });
  return {
    config: { model, load_format: "dummy", seed: 0, modelPath: "", adapter: {} },
    requests: [request(0, 20), request(1, 9)],
    cacheConfig: CACHE,
  } as unknown as ScheduleWork;
}

/** Greedy tokens of the second request, its prompt in one step. */
function tokensOf({ config: { model }, requests }: ScheduleWork): number[] {
  const prompt = requests[1]!.promptTokenIds;
  const decoder = ReferenceDecoder.load(wholeDecoder(model, CACHE), dummy(model));
  const tokens: number[] = [];
  let [ids, first] = [prompt, 0];
  while (tokens.length < 4) {
    const { tokenIds: [next] } = decoder.step({
      tokenIds: ids,
      positions: ids.map((_, i) => first + i),
      slots: ids.map(() => 0),
      logitsIndices: [ids.length - 1],
    });
    first += ids.length;
    tokens.push(next!);
    ids = [next!];
  }
  return tokens;
}

const NEVER = new AbortController().signal;

Deno.test("tokens of the shortest request are held to a decoder in float64, whatever the prompt's chunks", async () => {
  const work = workOf(tinyModel());
  const right = tokensOf(work);
  const longer = [1, 2, 3, 4]; // of the first request, which is not looked at
  assertEquals(await checkTokens(work, [longer, right], NEVER), { tokens: 4, mismatches: 0 });
  const wrong = right.with(3, (right[3]! + 1) % 101);
  const check = await checkTokens(work, [longer, wrong], NEVER);
  assertEquals([check.tokens, check.mismatches], [4, 1]);
  assertStringIncludes(
    check.reason!,
    `token 3 is ${wrong[3]}; a float64 decoder chooses ${right[3]}`,
  );
});

Deno.test("what would take too long is not compared, nor what comes after an interrupt", async () => {
  const work = workOf(tinyModel());
  const tokens = [[1, 2, 3, 4], tokensOf(work)];
  const none = { tokens: 0, mismatches: 0 };
  assertEquals(await checkTokens(work, tokens, AbortSignal.abort()), none);
  // 13 tokens of 2 x 2 x 64 x 4e6 operations in the FFN alone; its weights are never made.
  const large = workOf(tinyModel({ intermediate_size: 4_000_000 }));
  assertEquals(await checkTokens(large, tokens, NEVER), none);
});

Deno.test("a token is wrong where its logit is further below the largest than rounding explains", async () => {
  const rows = [[0, 3, 1], [2, 2, 0], [1, 0.75, 0]].map((row) => Float64Array.from(row));
  let asked = 0;
  const rounding = (most: number) => () => (asked++, Promise.resolve(most));
  const judge = (tokens: readonly number[], most: number) =>
    judgeTokens(tokens, rows, rounding(most));
  assertEquals(await judge([1, 0, 0], 9), { tokens: 3, mismatches: 0 });
  assertEquals(asked, 0, "rounding is not looked at where all tokens are those chosen");
  // Of two equal logits the lowest id is chosen; the other one is as good within rounding.
  assertEquals((await judge([1, 1, 0], 0)).mismatches, 0);
  assertEquals((await judge([1, 0, 1], 0.125)).mismatches, 0);
  assertEquals((await judge([1, 0, 1], 0.124)).mismatches, 1);
  const { mismatches, reason } = await judge([0, 0, 2], 0.25);
  assertEquals(mismatches, 2);
  assertEquals(
    reason,
    "on one rank token 0 is 0; a float64 decoder chooses 1, whose logit is 3.00 larger; rounding explains 0.500",
  );
  // No logit at all: an id that is none, as padding is.
  assert((await judge([1, 0, 3], 1e9)).mismatches === 1);
});
