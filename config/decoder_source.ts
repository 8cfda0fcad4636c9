import { dirname } from "node:path";
import type { WeightsOrigin } from "../model/open_weights.ts";
import type { Layout } from "../parallel/layout.ts";
import type { Config } from "./config.ts";
import type { LayoutSizes } from "./config_schema.ts";

/** The model, weights, adapter and threads that a configuration names, as opening ranks takes them. */
export function decoderSource(config: Config) {
  const { model, load_format, seed, modelPath, schedules } = config;
  const weights: WeightsOrigin = load_format === "dummy"
    ? { kind: "dummy", seed }
    : { kind: "safetensors", folder: dirname(modelPath) };
  return { model, weights, adapter: adapterOptions(config), threads: schedules?.threads_per_rank };
}

/** The adapter that a configuration asks for. */
export function adapterOptions({ adapter }: Pick<Config, "adapter">) {
  return { powerPreference: adapter.power_preference, allowSoftware: adapter.allow_software };
}

/** A layout of a configuration as the arithmetic of ranks names it. */
export function layoutOf(sizes: LayoutSizes): Layout {
  return {
    tensorParallelSize: sizes.tensor_parallel_size,
    pipelineParallelSize: sizes.pipeline_parallel_size,
    dataParallelSize: sizes.data_parallel_size,
    order: sizes.order,
  };
}
