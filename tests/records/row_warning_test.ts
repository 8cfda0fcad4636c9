import { assertEquals } from "@std/assert";
import { rowWarning } from "../../records/rows/row_warning.ts";

const QUIET = { status: "ok", canary_pct: 2, noise_pct: 1, rounds: 12, autocorrelation: 0.2 };

Deno.test("a quiet row of enough rounds has no warning; each thing that makes it less good is said", () => {
  assertEquals(rowWarning(QUIET), undefined);
  const cases = [
    [{ canary_pct: -12.4 }, "the machine's speed changed: the canary took 12 % less time"],
    [{ canary_pct: 10.6 }, "the machine's speed changed: the canary took 11 % more time"],
    [{ oversubscribed: true }, "more ranks than adapters or cores"],
    [{ noise_pct: 26 }, "noise 26 %"],
    [{ rounds: 4 }, "4 rounds"],
    [{ rounds: 1, autocorrelation: undefined }, "1 round"],
    [
      { autocorrelation: 0.5 },
      "its rounds drift (autocorrelation 0.5): the interval may be too narrow",
    ],
    [{ rounds: 4, oversubscribed: true }, "more ranks than adapters or cores; 4 rounds"],
  ] as const;
  for (const [change, warning] of cases) {
    assertEquals(rowWarning({ ...QUIET, ...change }), warning);
    assertEquals(rowWarning({ ...QUIET, ...change, status: "wrong" }), undefined);
  }
});

Deno.test("what is at a bound, or not known, is no warning", () => {
  for (const change of [{ canary_pct: 10 }, { noise_pct: 10 }, { rounds: 5 }]) {
    assertEquals(rowWarning({ ...QUIET, ...change }), undefined);
  }
  assertEquals(rowWarning({ status: "ok" }), undefined);
});
