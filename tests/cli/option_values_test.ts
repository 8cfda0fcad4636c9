import { assertEquals, assertThrows } from "@std/assert";
import { suitesOf } from "../../cli/filter.ts";
import { listOf, oneOf, threshold } from "../../cli/option_values.ts";
import { longSizes, sizesOf } from "../../cli/sizes.ts";

const said = (act: () => unknown) => assertThrows(act, Error).message;

Deno.test("one of the legal values is taken, spaces around it or not; others are refused with all of them", () => {
  const legal = ["text", "md"] as const;
  assertEquals([oneOf("--format", "md", legal), oneOf("--format", " text ", legal)], [
    "md",
    "text",
  ]);
  assertEquals(
    said(() => oneOf("--format", "xml", legal)),
    'Cannot use --format "xml": legal are text, md',
  );
  assertEquals(listOf("--allow", undefined, legal), []);
  assertEquals(listOf("--allow", "", legal), []);
  assertEquals(listOf("--allow", "md,,text", legal), ["md", "text"]);
  assertEquals(
    said(() => listOf("--allow", "md,x", legal)),
    'Cannot use --allow "x": legal are text, md',
  );
});

Deno.test("a threshold is above 0 and below 100", () => {
  assertEquals([threshold("--threshold", 0.001), threshold("--threshold", 99.9)], [0.001, 99.9]);
  for (const found of [0, 100, -1, 101, NaN]) {
    assertEquals(
      said(() => threshold("--threshold", found)),
      `Cannot use --threshold "${found}": legal is above 0, below 100`,
    );
  }
});

Deno.test("--only names suites with commas between; all where it is absent", () => {
  assertEquals(suitesOf(undefined), ["kernels", "collectives", "schedules"]);
  assertEquals(suitesOf("schedules, kernels"), ["schedules", "kernels"]);
  assertEquals(
    said(() => suitesOf("kernel")),
    'Cannot use --only "kernel": legal are kernels, collectives, schedules',
  );
});

Deno.test("sizes are those that were given, vLLM's short names among them", () => {
  assertEquals(sizesOf({}), {});
  assertEquals(sizesOf({ tensorParallelSize: 2 }), { tensorParallelSize: 2 });
  assertEquals(sizesOf({ pipelineParallelSize: 3, dataParallelSize: 4 }), {
    pipelineParallelSize: 3,
    dataParallelSize: 4,
  });
  assertEquals(
    longSizes(["-tp", "2", "-pp=3", "-dp", "--tp", "-tpx", "x-tp"]),
    ["--tp", "2", "--pp=3", "--dp", "--tp", "-tpx", "x-tp"],
  );
});
