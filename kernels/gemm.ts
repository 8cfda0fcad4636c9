import type { Kernel, Variant } from "./kernel.ts";
import { vec4s } from "./kernel.ts";
import {
  productCost,
  productError,
  productProgram,
  productReference,
  type ProductShape,
  productTensors,
} from "./product.ts";
import naiveWgsl from "./product_naive.wgsl" with { type: "text" };
import workgroupTileWgsl from "./product_workgroup_tile.wgsl" with { type: "text" };
import { type RegisterTile, registerTile } from "./register_tile.ts";

/** Lanes of a register-tile workgroup: one native vector of a software adapter. */
const LANES = 8;

/** A register-tile variant of a kernel. */
export function registerTileVariant(kernel: string, tile: RegisterTile): Variant<ProductShape> {
  const { rows, vectors } = tile;
  const name = `register_tile_${rows}x${vectors * 4}`;
  return {
    name,
    program: (shape) =>
      productProgram(shape, {
        name: `${kernel}/${name}`,
        wgsl: registerTile(tile),
        workgroups: [
          Math.ceil(vec4s(shape.columns) / (LANES * vectors)),
          Math.ceil(shape.tokens / rows),
        ],
      }),
  };
}

/** The naive variant of a kernel. */
export function naiveProduct(kernel: string): Variant<ProductShape> {
  return {
    name: "naive",
    program: (shape) =>
      productProgram(shape, {
        name: `${kernel}/naive`,
        wgsl: naiveWgsl,
        workgroups: [Math.ceil(vec4s(shape.columns) / 2), Math.ceil(shape.tokens / 8)],
      }),
  };
}

/** Matrix times matrix: many tokens. */
export const gemm: Kernel<ProductShape> = {
  name: "gemm",
  variants: [
    naiveProduct("gemm"),
    registerTileVariant("gemm", { rows: 4, vectors: 2 }),
    registerTileVariant("gemm", { rows: 8, vectors: 2 }),
    registerTileVariant("gemm", { rows: 16, vectors: 2 }),
    {
      name: "workgroup_tile",
      program: (shape) =>
        productProgram(shape, {
          name: "gemm/workgroup_tile",
          wgsl: workgroupTileWgsl,
          workgroups: [Math.ceil(vec4s(shape.columns) / 16), Math.ceil(shape.tokens / 64)],
        }),
    },
  ],
  tensors: productTensors,
  outputs: ["out"],
  cost: productCost,
  reference: productReference,
  errorBound: productError,
};
