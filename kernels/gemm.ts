import type { Kernel } from "./kernel.ts";
import { MATMUL, type MatmulShape } from "./matmul.ts";
import { matmulVariant, naiveMatmul, registerTileVariant } from "./matmul_variants.ts";
import workgroupTileWgsl from "./matmul_workgroup_tile.wgsl" with { type: "text" };
import { wgslFile } from "./wgsl_file.ts";

/** Matmul of many tokens, e.g. of a prefill. */
export const gemm: Kernel<MatmulShape> = {
  ...MATMUL,
  name: "gemm",
  variants: [
    naiveMatmul("gemm"),
    registerTileVariant("gemm", { rows: 4, vectors: 2 }),
    registerTileVariant("gemm", { rows: 8, vectors: 2 }),
    registerTileVariant("gemm", { rows: 16, vectors: 2 }),
    matmulVariant("gemm", {
      name: "workgroup_tile",
      wgsl: wgslFile("matmul_workgroup_tile.wgsl", workgroupTileWgsl),
      rows: 64,
      vectors: 16,
    }),
  ],
};
