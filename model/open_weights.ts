import { DummyWeights } from "./dummy_weights.ts";
import { SafetensorsWeights } from "./safetensors_weights.ts";
import type { ModelShape } from "./shape.ts";
import type { WeightSource } from "./weight_source.ts";

/** Where weights come from, as data that a Worker can be sent. */
export type WeightsOrigin =
  | { readonly kind: "dummy"; readonly seed: number }
  | { readonly kind: "safetensors"; readonly folder: string };

/**
 * Opens a model's weights.
 * @throws {CheckpointError} where files do not fit the model.
 */
export function openWeights(origin: WeightsOrigin, model: ModelShape): WeightSource {
  return origin.kind === "dummy"
    ? new DummyWeights(origin.seed, model)
    : SafetensorsWeights.open(origin.folder, model);
}
