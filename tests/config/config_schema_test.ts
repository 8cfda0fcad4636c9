import { assertEquals } from "@std/assert";
import { MODEL, refusals, REQUESTS, resolved } from "./resolved.ts";

Deno.test("what a configuration leaves out gets the defaults of its schema", () => {
  const { document } = resolved({
    kernels: { ops: ["ffn"] },
    collectives: { ops: ["all_reduce"], sizes: "4B" },
    schedules: { requests: REQUESTS },
  });
  assertEquals<unknown>(document, {
    name: "my_run",
    model: MODEL,
    model_overrides: {},
    load_format: "dummy",
    dtype: "float32",
    seed: 0,
    adapter: { power_preference: "high-performance", allow_software: true },
    launcher: { kind: "workers" },
    measure: {
      min_time_ms: 200,
      min_samples: 10,
      max_noise_pct: 2,
      timeout_s: 20,
      modes: ["hot"],
    },
    kernels: {
      ops: ["ffn"],
      tensor_parallel_sizes: [1],
      tokens: [1],
      context: [256],
      variants: "best",
    },
    collectives: {
      ops: ["all_reduce"],
      ranks: [2],
      sizes: "4B",
      algorithms: "all",
      transports: "all",
      memory: ["host"],
    },
    schedules: {
      layouts: [{
        tensor_parallel_size: 1,
        pipeline_parallel_size: 1,
        data_parallel_size: 1,
        order: "vllm",
      }],
      schedules: ["step", "step_with_batch_queue"],
      max_concurrent_batches: [2],
      max_num_batched_tokens: 64,
      max_num_seqs: 4,
      admission: ["greedy"],
      head_exchange: ["all_gather"],
      sliced_sends: [false],
      router: "least_loaded",
      requests: REQUESTS,
    },
  });
});

Deno.test("numbers at their limits are legal, the next ones are not", () => {
  const base = ["schedules.requests.prompt_tokens=1", "schedules.requests.output_tokens=1"];
  const limits = [
    ["seed", 0, 2 ** 32 - 1],
    ["measure.max_noise_pct", 0.001, 100],
    ["measure.min_samples", 1, 2 ** 31 - 1],
    ["kernels.tokens.0", 1, 2 ** 31 - 1],
    ["collectives.ranks.0", 2, 1024],
    ["schedules.requests.count", 1, 1_000_000],
    ["model_overrides.num_hidden_layers", 1, 10_000],
    ["model_overrides.vocab_size", 1, 2 ** 26],
  ] as const;
  const keys = {
    kernels: { ops: ["ffn"] },
    collectives: { ops: ["all_reduce"], sizes: "4B" },
    schedules: { requests: REQUESTS },
  };
  for (const [path, least, most] of limits) {
    for (const value of [least, most]) resolved(keys, { set: [...base, `${path}=${value}`] });
    for (const value of [least - 1, most + 1]) {
      const [line] = refusals(keys, { set: [...base, `${path}=${value}`] });
      assertEquals(line!.startsWith(`${path}: found ${value}; legal: `), true, line);
    }
  }
  assertEquals(
    refusals({ ...keys, kernels: { ops: ["ffn"], tensor_parallel_sizes: [0] } }).length,
    1,
  );
  const names = ["a".repeat(100), "0.a_B-c"];
  for (const name of names) assertEquals(resolved({ ...keys, name }).name, name);
  for (const name of ["a".repeat(101), ".a", "", "a/b"]) {
    assertEquals(refusals({ ...keys, name }).length, 1, name);
  }
  assertEquals(refusals({ ...keys, kernels: { ops: ["ffn", "ffn"] } }).length, 1, "no repeats");
  const layouts = [{}, { order: "vllm", tensor_parallel_size: 1 }];
  const schedules = { layouts, requests: { count: 1, prompt_tokens: 1, output_tokens: 1 } };
  assertEquals(refusals({ ...keys, schedules }).length, 1, "of layouts either");
  assertEquals(refusals({ ...keys, kernels: { ops: [] } }).length, 1, "not empty");
});
