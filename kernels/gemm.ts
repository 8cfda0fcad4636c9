import type { Kernel, Variant } from "./kernel.ts";
import { vec4s } from "./kernel.ts";
import {
  matmulCost,
  matmulError,
  matmulProgram,
  matmulReference,
  type MatmulShape,
  matmulTensors,
} from "./matmul.ts";
import naiveWgsl from "./matmul_naive.wgsl" with { type: "text" };
import workgroupTileWgsl from "./matmul_workgroup_tile.wgsl" with { type: "text" };
import { type RegisterTile, registerTile } from "./register_tile.ts";

/** Invocations of a register-tile workgroup: one native vector of a software adapter. */
const WORKGROUP_SIZE = 8;

/** A register-tile variant of a kernel. */
export function registerTileVariant(kernel: string, tile: RegisterTile): Variant<MatmulShape> {
  const { rows, vectors } = tile;
  const name = `register_tile_${rows}x${vectors * 4}`;
  return {
    name,
    program: (shape) =>
      matmulProgram(shape, {
        name: `${kernel}/${name}`,
        wgsl: registerTile(tile),
        workgroups: [
          Math.ceil(vec4s(shape.columns) / (WORKGROUP_SIZE * vectors)),
          Math.ceil(shape.tokens / rows),
        ],
      }),
  };
}

/** The naive variant of a kernel. */
export function naiveMatmul(kernel: string): Variant<MatmulShape> {
  return {
    name: "naive",
    program: (shape) =>
      matmulProgram(shape, {
        name: `${kernel}/naive`,
        wgsl: naiveWgsl,
        workgroups: [Math.ceil(vec4s(shape.columns) / 2), Math.ceil(shape.tokens / 8)],
      }),
  };
}

/** Matrix times matrix: many tokens. */
export const gemm: Kernel<MatmulShape> = {
  name: "gemm",
  variants: [
    naiveMatmul("gemm"),
    registerTileVariant("gemm", { rows: 4, vectors: 2 }),
    registerTileVariant("gemm", { rows: 8, vectors: 2 }),
    registerTileVariant("gemm", { rows: 16, vectors: 2 }),
    {
      name: "workgroup_tile",
      program: (shape) =>
        matmulProgram(shape, {
          name: "gemm/workgroup_tile",
          wgsl: workgroupTileWgsl,
          workgroups: [Math.ceil(vec4s(shape.columns) / 16), Math.ceil(shape.tokens / 64)],
        }),
    },
  ],
  tensors: matmulTensors,
  outputs: ["out"],
  cost: matmulCost,
  reference: matmulReference,
  errorBound: matmulError,
};
