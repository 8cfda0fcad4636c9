import { assert, assertEquals } from "@std/assert";
import { ceilingPct } from "../../bench/measure/ceilings.ts";
import { fillTensor } from "../../bench/measure/fill.ts";
import type { HostArray } from "../../kernels/kernel.ts";
import { type Operation, operation } from "../../kernels/operation.ts";
import { referenceRun } from "../../kernels/reference_run.ts";
import { KERNELS } from "../../kernels/registry.ts";
import { caseOperations, KERNEL_OPS, type KernelOp } from "../../model/kernel_ops.ts";
import { parseModelShape } from "../../model/shape.ts";
import { legalTensorParallelSizes } from "../../parallel/shard.ts";

const CACHE = { kvHeads: 2, headSize: 16, maxNumSeqs: 3, context: 37, heads: 6, qColumns: 96 };
const FLOPS = 6 * (4 * 16 + 5); // a visible position, all heads
const KV = 2 * 2 * 16 * 4; // bytes of a position's keys and values
const Q = 6 * 16 * 4; // bytes of a token's queries, and of its output
const MATMUL = { tokens: 5, k: 64, columns: 72 };
const TABLE = { tokens: 3, columns: 8, vocabStart: 16, rows: 10 };

/** Operations small enough to count by hand, with their flops, bytes read and bytes written. */
const COUNTED: readonly (readonly [string, Operation, number, number, number])[] = [
  [
    // Slots see 37, 18 and 3 positions; tokens 37 + 1 + 2 + 3 + 18 + 4.
    "attention of prefill and decodes in one batch",
    operation(KERNELS.attention, {
      ...CACHE,
      tokens: 6,
      tokenSlots: [0, 2, 2, 2, 1, 0],
      positions: [36, 0, 1, 2, 17, 3],
    }),
    65 * FLOPS,
    6 * Q + 58 * KV,
    6 * Q,
  ],
  [
    "attention of one token that looks back 5 positions",
    operation(KERNELS.attention, { ...CACHE, tokens: 1, window: 5 }),
    5 * FLOPS,
    Q + 5 * KV,
    Q,
  ],
  [
    // Positions 33 to 36 see 29 to 36.
    "attention of 4 tokens that look back 5 positions each",
    operation(KERNELS.attention, { ...CACHE, tokens: 4, window: 5 }),
    20 * FLOPS,
    4 * Q + 8 * KV,
    4 * Q,
  ],
  [
    // Windows [0, 2] and [1, 3] meet, [19, 21] stands alone; the other slot sees [34, 36].
    "attention of windows that overlap and that do not",
    operation(KERNELS.attention, {
      ...CACHE,
      tokens: 4,
      window: 3,
      tokenSlots: [1, 1, 0, 1],
      positions: [21, 2, 36, 3],
    }),
    12 * FLOPS,
    4 * Q + (4 + 3 + 3) * KV,
    4 * Q,
  ],
  ["attention of nothing", operation(KERNELS.attention, { ...CACHE, tokens: 0 }), 0, 0, 0],
  [
    "int8 matmul with its scales, bias and residual",
    operation(KERNELS.gemm, { ...MATMUL, dtype: "int8", bias: true, residual: true }),
    2 * 5 * 64 * 72,
    64 * 72 + 72 * 4 + 5 * 64 * 4 + 72 * 4 + 5 * 72 * 4,
    5 * 72 * 4,
  ],
  [
    "float16 matmul",
    operation(KERNELS.gemv, { ...MATMUL, dtype: "float16" }),
    2 * 5 * 64 * 72,
    64 * 72 * 2 + 5 * 64 * 4,
    5 * 72 * 4,
  ],
  [
    "int8 embedding with its scales",
    operation(KERNELS.embedding, { ...TABLE, dtype: "int8" }),
    0,
    3 * 4 + 3 * 8 + 8 * 4,
    3 * 8 * 4,
  ],
  [
    "float32 embedding of more tokens than rows",
    operation(KERNELS.embedding, { ...TABLE, tokens: 12, dtype: "float32" }),
    0,
    12 * 4 + 10 * 8 * 4,
    12 * 8 * 4,
  ],
  [
    "rotation of tokens of which two are at one position",
    operation(KERNELS.rope, {
      ...{ tokens: 3, heads: 2, headSize: 8, xColumns: 24, context: 9, theta: 1e4 },
      positions: [8, 3, 8],
    }),
    3 * 3 * 2 * 8,
    3 * 2 * 8 * 4 + 2 * 8 * 4,
    3 * 2 * 8 * 4,
  ],
  ["softmax", operation(KERNELS.softmax, { rows: 3, columns: 5 }), 5 * 15, 15 * 4, 15 * 4],
  ["sums", operation(KERNELS.add, { tokens: 3, columns: 5 }), 15, 2 * 15 * 4, 15 * 4],
  [
    "greedy choice without the padding",
    operation(KERNELS.argmax, { rows: 3, columns: 8, valid: 5 }),
    15,
    15 * 4,
    3 * 4,
  ],
  ...[true, false].map((gated) =>
    [
      `activation, gated ${gated}`,
      operation(KERNELS.activation, { tokens: 3, columns: 5, gated, activation: "silu" as const }),
      gated ? 15 * 5 : 15 * 4,
      gated ? 2 * 15 * 4 : 15 * 4,
      15 * 4,
    ] as const
  ),
  ...[true, false].map((residual) =>
    [
      `norm, residual ${residual}`,
      operation(KERNELS.rms_norm, { tokens: 3, hidden: 5, epsilon: 1e-6, residual }),
      residual ? 15 * 5 : 15 * 4,
      5 * 4 + (residual ? 2 * 15 * 4 : 15 * 4),
      residual ? 2 * 15 * 4 : 15 * 4,
    ] as const
  ),
  [
    "append to the cache",
    operation(KERNELS.kv_append, {
      ...{ kvHeads: 2, headSize: 16, maxNumSeqs: 3, context: 37, tokens: 3 },
      ...{ keyColumns: 64, keyOffset: 32, valueColumns: 64, valueOffset: 0 },
    }),
    0,
    3 * KV,
    3 * KV,
  ],
];

for (const [name, { cost }, flops, bytesRead, bytesWritten] of COUNTED) {
  Deno.test(`work counted by hand: ${name}`, () => {
    assertEquals(cost, { flops, bytesRead, bytesWritten });
  });
}

const MODEL = parseModelShape({
  architectures: ["MistralForCausalLM"],
  hidden_size: 64,
  num_attention_heads: 8,
  num_key_value_heads: 8,
  intermediate_size: 512,
  num_hidden_layers: 1,
  vocab_size: 512,
  sliding_window: 5,
}, { name: "tiny", path: "tiny" });

Deno.test("what is measured of rank 0's shard is no operation on nothing, whatever the number of ranks", () => {
  let measured = 0;
  for (const tensorParallelSize of legalTensorParallelSizes(MODEL)) {
    for (const op of Object.keys(KERNEL_OPS) as KernelOp[]) {
      for (const dtype of ["float32", "int8"] as const) {
        const operations = caseOperations(
          { op, dtype, tensorParallelSize, tensorParallelRank: 0, tokens: 1, context: 8 },
          MODEL,
          2 ** 27,
        );
        const tensors = new Map<string, HostArray>();
        for (const { names, tensors: own } of operations) {
          for (const [name, joint] of Object.entries(names)) {
            tensors.set(joint, fillTensor(own[name]!, joint, 0));
          }
        }
        for (const [name, { values }] of referenceRun(operations, tensors)) {
          const used = values.some((value) => value !== 0) || op === "argmax";
          assert(used, `${op} ${dtype} tp=${tensorParallelSize} ${name}`);
          measured++;
        }
      }
    }
  }
  assert(measured > 50, `${measured}`);
});

Deno.test("a model's window bounds attention in every op that has one", () => {
  for (const op of ["attention", "cached_attention"] as const) {
    const costs = [MODEL, { ...MODEL, slidingWindow: 8 }].map((model) => {
      const work = { dtype: "float32", tensorParallelSize: 1, tensorParallelRank: 0 } as const;
      const operations = caseOperations({ op, ...work, tokens: 1, context: 8 }, model, 2 ** 27);
      return operations.find(({ kernel }) => kernel === "attention")!.cost.flops;
    });
    assertEquals(costs[0]! / costs[1]!, 5 / 8, op);
  }
});

Deno.test("a hot run is held against the bandwidth of caches, a cold one against that of memory", () => {
  const ceilings = { copyGbytesPerS: 10, cachedGbytesPerS: 40, multiplyAddGflops: 100 };
  const cost = { flops: 1e6, bytesRead: 3e6, bytesWritten: 1e6 };
  assertEquals(ceilingPct(cost, 200, ceilings, "memory"), 200);
  assertEquals(ceilingPct(cost, 200, ceilings, "caches"), 50);
  assertEquals(ceilingPct({ ...cost, flops: 1e8 }, 1000, ceilings, "caches"), 100);
});
