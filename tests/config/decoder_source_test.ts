import { assertEquals } from "@std/assert";
import { decoderSource, layoutOf } from "../../config/decoder_source.ts";
import { MODEL, REQUESTS, resolved } from "./resolved.ts";

Deno.test("ranks are opened with a configuration's weights, adapter and threads", () => {
  const seeded = resolved({ seed: 7 });
  assertEquals(decoderSource(seeded), {
    model: seeded.model,
    weights: { kind: "dummy", seed: 7 },
    adapter: { powerPreference: "high-performance", allowSoftware: true },
    threads: undefined,
  });
  const own = resolved({
    load_format: "safetensors",
    adapter: { power_preference: "low-power", allow_software: false },
    schedules: { threads_per_rank: 3, requests: REQUESTS },
  });
  assertEquals(decoderSource(own), {
    model: own.model,
    weights: { kind: "safetensors", folder: MODEL.replace(/\/[^/]+$/, "") },
    adapter: { powerPreference: "low-power", allowSoftware: false },
    threads: 3,
  });
});

Deno.test("a layout has the sizes and the order of its configuration", () => {
  assertEquals(
    layoutOf({
      tensor_parallel_size: 2,
      pipeline_parallel_size: 3,
      data_parallel_size: 4,
      order: "megatron",
    }),
    { tensorParallelSize: 2, pipelineParallelSize: 3, dataParallelSize: 4, order: "megatron" },
  );
});
