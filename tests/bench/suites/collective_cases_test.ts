import { assertEquals } from "@std/assert";
import { elementsOf } from "../../../bench/suites/collectives/collective_cases.ts";

Deno.test("a message holds whole groups of elements only: argmax's are pairs", () => {
  const c = { transport: "workers", memory: "host", ranks: 2, algorithm: "one_shot" } as const;
  for (const [messageBytes, ...counts] of [[4, 1, 0], [12, 3, 2], [16, 4, 4]] as const) {
    const of = (op: "all_reduce" | "argmax") => elementsOf({ ...c, op, messageBytes });
    assertEquals([of("all_reduce"), of("argmax")], counts);
  }
});
