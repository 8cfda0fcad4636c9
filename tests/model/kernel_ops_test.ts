import { assertEquals } from "@std/assert";
import { caseOperations, type KernelOp, variantNames } from "../../model/kernel_ops.ts";
import { parseModelShape } from "../../model/shape.ts";

const MODEL = parseModelShape({
  architectures: ["MistralForCausalLM"],
  hidden_size: 64,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 16,
  intermediate_size: 96,
  num_hidden_layers: 1,
  vocab_size: 128,
}, { name: "tiny", path: "tiny" });

/** Tensors of an op's only kernel on one of two ranks, 3 tokens after 7 positions: `rows x columns`. */
function sizes(op: KernelOp, names: readonly string[], maxBytes = 2 ** 27): readonly string[] {
  const rank = { tensorParallelSize: 2, tensorParallelRank: 0, dtype: "float16" } as const;
  const [only, ...others] = caseOperations({ op, ...rank, tokens: 3, context: 7 }, MODEL, maxBytes);
  assertEquals(others.length, 0);
  return names.map((name) => `${only!.tensors[name]!.rows}x${only!.tensors[name]!.columns}`);
}

Deno.test("single kernels are measured at the sizes that they have in a rank's shard", () => {
  // A rank has 4 of 8 query heads, 2 of 4 kv heads of 16, 48 of 96 FFN columns, 64 of 128 tokens.
  assertEquals(sizes("rms_norm", ["x", "residual", "out"]), ["3x64", "3x64", "3x64"]);
  assertEquals(sizes("rope", ["x", "angles", "out"]), ["3x128", "7x16", "3x96"]);
  assertEquals(sizes("cached_attention", ["out"]), ["3x64"]);
  assertEquals(sizes("softmax", ["x", "out"]), ["12x7", "12x7"]);
  assertEquals(sizes("activation", ["x", "out"]), ["3x96", "3x48"]);
  assertEquals(sizes("add", ["a", "b", "out"]), ["3x64", "3x64", "3x64"]);
  assertEquals(sizes("argmax", ["x", "out"]), ["3x64", "1x3"]);
  for (const op of ["gemm", "gemv"] as const) {
    assertEquals(sizes(op, ["x", "weight", "out"]), ["3x64", "64x48", "3x48"]);
    // One binding holds 21 columns of 64 halves, of which 20 are whole vec4s.
    assertEquals(sizes(op, ["weight"], 21 * 64 * 2), ["64x20"]);
  }
});

Deno.test("variants are those of the kernels that some number of tokens chooses", () => {
  const names = (op: KernelOp, tokens: number[]) => variantNames([op], { model: MODEL, tokens });
  assertEquals(names("add", [1]), ["best", "naive", "vector"]);
  assertEquals(names("gemv", [100]), ["best"]); // cases of so many tokens are left out
  assertEquals(names("gemv", [100, 1]).includes("naive"), true);
});
