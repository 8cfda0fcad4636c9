import { dirname } from "node:path";
import type { WeightsOrigin } from "../model/open_weights.ts";
import type { Config } from "./config.ts";

/** Where the weights that a configuration names come from. */
export function weightsOrigin({ load_format, seed, modelPath }: Config): WeightsOrigin {
  return load_format === "dummy"
    ? { kind: "dummy", seed }
    : { kind: "safetensors", folder: dirname(modelPath) };
}
