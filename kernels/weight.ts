import type { WgslPart } from "../device/program.ts";
import type { Tensor, WeightDType } from "./kernel.ts";
import { host, type HostTensors, NONE } from "./kernel.ts";
import float16Wgsl from "./weight_float16_shared.wgsl" with { type: "text" };
import float32Wgsl from "./weight_float32_shared.wgsl" with { type: "text" };
import int8Wgsl from "./weight_int8_shared.wgsl" with { type: "text" };
import { wgslFile } from "./define_kernel.ts";

/** The shader text that reads weights of a storage type: `weight4`, `weight1`, `scale4`. */
export const WEIGHT_WGSL: Readonly<Record<WeightDType, WgslPart>> = {
  float32: wgslFile("weight_float32_shared.wgsl", float32Wgsl),
  float16: wgslFile("weight_float16_shared.wgsl", float16Wgsl),
  int8: wgslFile("weight_int8_shared.wgsl", int8Wgsl),
};

/** The tensors `weight` [rows, columns] and `scale` [1, columns] of a storage type. */
export function weightTensors(
  size: { readonly rows: number; readonly columns: number },
  dtype: WeightDType,
): { readonly weight: Tensor; readonly scale: Tensor } {
  const { rows, columns } = size;
  const spread = 1 / Math.sqrt(Math.max(1, rows));
  if (dtype !== "int8") {
    return { weight: { ...size, dtype, fill: { kind: "uniform", scale: spread } }, scale: NONE };
  }
  return {
    weight: { rows, columns, dtype, fill: { kind: "quantised" } },
    scale: { rows: 1, columns, dtype: "float32", fill: { kind: "scales", scale: spread / 127 } },
  };
}

/** Row `row` of a stored weight in float64, its scale applied, into `into`. */
export function readWeightRow(tensors: HostTensors, row: number, into: Float64Array): void {
  const weight = host(tensors, "weight");
  const columns = into.length;
  const first = row * columns;
  if (weight instanceof Int8Array) {
    const scale = host(tensors, "scale");
    for (let n = 0; n < columns; n++) into[n] = weight[first + n]! * scale[n]!;
  } else {
    for (let n = 0; n < columns; n++) into[n] = weight[first + n]!;
  }
}
