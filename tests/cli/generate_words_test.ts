import { assertEquals, assertThrows } from "@std/assert";
import { ValidationError } from "@cliffy/command";
import { promptOf, roomOf, speedText } from "../../cli/generate.ts";
import { REQUESTS, resolved } from "../config/resolved.ts";

const said = (act: () => unknown) => assertThrows(act, ValidationError).message;

Deno.test("a prompt is ids of the model with commas between, and spaces as one likes", () => {
  assertEquals(promptOf("0", 4), [0]);
  assertEquals(promptOf(" 3 ,1, 02", 4), [3, 1, 2]);
  for (const word of ["4", "-1", "1.5", "1e0", "x", "", " ", "1 2"]) {
    assertEquals(
      said(() => promptOf(`1,${word}`, 4)),
      `Cannot take the prompt token "${word}": legal are 0 to 3, with commas between`,
    );
  }
});

Deno.test("a sequence has room for prompt and tokens, up to the model's last position", () => {
  const model = { ...resolved({}).model, maxPositions: 100 };
  const room = (prompt: number, tokens: number, budget?: number) => {
    const requests = { ...resolved({ schedules: { requests: REQUESTS } }).schedules! };
    const schedules = budget === undefined
      ? undefined
      : { ...requests, max_num_batched_tokens: budget };
    return roomOf(schedules ? { model, schedules } : { model }, prompt, tokens);
  };
  assertEquals(room(10, 1), { maxModelLen: 11, maxNumBatchedTokens: 10 });
  assertEquals(room(90, 10), { maxModelLen: 100, maxNumBatchedTokens: 64 });
  assertEquals(room(90, 10, 80), { maxModelLen: 100, maxNumBatchedTokens: 80 });
  assertEquals(room(5, 10, 80), { maxModelLen: 15, maxNumBatchedTokens: 5 });
  assertEquals(said(() => room(10, 0)), "Cannot generate 0 tokens: legal are 1 and more");
  assertEquals(
    said(() => room(90, 11)),
    "Cannot reach position 101: the model ends at 100; legal for --max-tokens are up to 10",
  );
});

Deno.test("the speed is told with three digits, and a tenth of a per cent", () => {
  const speed = {
    prefill_tokens: 11,
    prefill_tokens_per_s: 1234.5,
    decode_tokens: 5,
    decode_tokens_per_s: 0.012345,
    host_overhead_pct: 12.345,
  };
  assertEquals(
    speedText(speed as Parameters<typeof speedText>[0], "llvmpipe"),
    "prefill 11 tokens at 1230 tokens/s; decode 5 tokens at 0.0123 tokens/s, " +
      "host overhead 12.3 % of a step (llvmpipe)",
  );
});
