import { assertEquals, assertThrows } from "@std/assert";
import { filterOf } from "../../cli/filter.ts";

Deno.test("a filter is a regular expression that ends: repetitions of repetitions are refused", () => {
  assertEquals(filterOf(undefined), undefined);
  assertEquals(filterOf("^ffn .*tp=(1|2) tokens=\\d+$")!.test("ffn float32 tp=2 tokens=64"), true);
  for (const endless of ["(.*)*(.*)*x$", "(a+)+", "^(\\w+\\s?)*$"]) {
    assertThrows(() => filterOf(endless), Error, "it repeats what repeats");
  }
  assertThrows(() => filterOf("("), Error, 'Cannot use --filter "("');
});
