import { type Kernel, vec4s } from "./kernel.ts";
import { MATMUL, matmulProgram, type MatmulShape } from "./matmul.ts";
import workgroupTileWgsl from "./matmul_workgroup_tile.wgsl" with { type: "text" };
import { naiveMatmul, registerTileVariant } from "./matmul_variants.ts";
import { wgslFile } from "./wgsl_file.ts";

/** Matmul of many tokens, e.g. of a prefill. */
export const gemm: Kernel<MatmulShape> = {
  name: "gemm",
  ...MATMUL,
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
          wgsl: wgslFile("matmul_workgroup_tile.wgsl", workgroupTileWgsl),
          workgroups: [Math.ceil(vec4s(shape.columns) / 16), Math.ceil(shape.tokens / 64)],
        }),
    },
  ],
};
