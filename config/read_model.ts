import type { ModelShape } from "../model/shape.ts";
import { resolveModel } from "./_resolve_model.ts";
import { ConfigError } from "./config_error.ts";

/** Reads the sizes of a model from its config.json, or the folder that has one. ConfigError carries every problem. */
export function readModel(path: string): ModelShape {
  const { shape, problems } = resolveModel(path, { folder: ".", overrides: {} });
  if (shape === undefined) throw new ConfigError(path, problems);
  return shape;
}
