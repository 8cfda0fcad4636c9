import { assertEquals, assertThrows } from "@std/assert";
import { isMessageSizes, parseMessageSizes } from "../../config/message_sizes.ts";

Deno.test("message sizes are a list, or a range that multiplies or adds and holds its ends", () => {
  const cases = [
    ["4B", [4]],
    ["8 B, 1KiB,2MiB, 1GiB", [8, 1024, 2 ** 21, 2 ** 30]],
    ["1.5KiB", [1536]],
    ["4B:64B:*4", [4, 16, 64]],
    ["4B:63B:*4", [4, 16]],
    ["1KiB:2KiB:+512B", [1024, 1536, 2048]],
    ["8B:8B:*2", [8]],
  ] as const;
  for (const [text, sizes] of cases) {
    assertEquals(parseMessageSizes(text), [...sizes], text);
    assertEquals(isMessageSizes(text), true);
  }
  assertEquals(parseMessageSizes("4B:4000B:+4B").length, 1000);
});

Deno.test("message sizes that are no whole elements, stand twice or never end are refused", () => {
  const cases = [
    ["6B", RangeError, '"6" bytes: not a multiple of 4'],
    ["0B", RangeError, '"0" bytes'],
    ["4B,4B", RangeError, "stands twice"],
    ["8B:4B:*2", RangeError, "the first is above the last"],
    ["4B:4004B:+4B", RangeError, "more than 1000"],
    ["4B:8B:*1", RangeError, "more than 1000"],
    ["4B:8B:+0B", RangeError, "more than 1000"],
    ["4", SyntaxError, 'the size "4"'],
    ["4kB", SyntaxError, "write a number and B, KiB, MiB or GiB"],
    ["0.3B", SyntaxError, 'the size "0.3B"'],
  ] as const;
  for (const [text, kind, words] of cases) {
    assertThrows(() => parseMessageSizes(text), kind, words);
    assertEquals(isMessageSizes(text), false);
  }
});
