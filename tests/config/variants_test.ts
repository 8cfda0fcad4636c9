import { assertEquals, assertThrows } from "@std/assert";
import { resolveConfig } from "../../config/config.ts";
import { ConfigError } from "../../config/config_error.ts";

const model = new URL("../../models/mistral_7b.json", import.meta.url).pathname;

/** The paths of what is wrong with the variants of some ops, and what is legal. */
function problems(kernels: object): readonly (readonly [string, string])[] {
  const error = assertThrows(
    () => resolveConfig({ model, kernels }, { path: "config.json" }),
    ConfigError,
  );
  return error.problems.map(({ path, legal }) => [path, legal]);
}

Deno.test("a variant that no op has is refused, with the names that there are", () => {
  const variants = ["naive", "onlin", "vector", "best", "online"];
  assertEquals(problems({ ops: ["softmax", "add"], variants }), [
    ["kernels.variants.1", "best, naive, vector, split_row, workgroup_row"],
    ["kernels.variants.4", "best, naive, vector, split_row, workgroup_row"],
  ]);
  assertEquals(problems({ ops: ["ffn"], tokens: [1], variants: ["workgroup_tile"] }).length, 1);
  assertEquals(problems({ ops: ["gemv"], tokens: [2 ** 31 - 1], variants: ["split_inner"] }), [
    ["kernels.variants.0", "best"],
  ]);
});

Deno.test("a variant that one op has, for one number of tokens, is legal", () => {
  for (
    const kernels of [
      { ops: ["softmax", "attention"], variants: ["online", "split_row"] },
      { ops: ["ffn"], tokens: [1, 64], variants: ["workgroup_tile", "split_inner"] },
      { ops: ["add"], variants: ["naive", "best"] },
      { ops: ["add"], variants: "all" },
    ]
  ) {
    const config = resolveConfig({ model, kernels }, { path: "config.json" });
    assertEquals(config.kernels!.ops.join(), kernels.ops.join());
  }
});
