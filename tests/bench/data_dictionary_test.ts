import { assertEquals } from "@std/assert";
import { dataDictionary } from "../../bench/data_dictionary.ts";

Deno.test("results/README.md is what the columns say", () => {
  const path = new URL("../../results/README.md", import.meta.url);
  assertEquals(Deno.readTextFileSync(path), dataDictionary());
});
