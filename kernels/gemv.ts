import type { Kernel } from "./kernel.ts";
import { MATMUL, type MatmulShape } from "./matmul.ts";
import splitInnerWgsl from "./matmul_split_inner.wgsl" with { type: "text" };
import { matmulVariant, naiveMatmul, registerTileVariant } from "./matmul_variants.ts";
import { wgslFile } from "./wgsl_file.ts";

/** The most tokens for which a matmul counts as matrix times vectors. */
export const GEMV_TOKENS = 8;

const tooMany = ({ tokens }: MatmulShape) =>
  tokens > GEMV_TOKENS ? `gemv takes 1 to ${GEMV_TOKENS} tokens, not ${tokens}` : undefined;

/** Matmul of 1 to 8 tokens, e.g. of decoding. */
export const gemv: Kernel<MatmulShape> = {
  ...MATMUL,
  name: "gemv",
  variants: [
    naiveMatmul("gemv"),
    registerTileVariant("gemv", { rows: 1, vectors: 2 }),
    registerTileVariant("gemv", { rows: 1, vectors: 4 }),
    registerTileVariant("gemv", { rows: 2, vectors: 2 }),
    registerTileVariant("gemv", { rows: 4, vectors: 2 }),
    registerTileVariant("gemv", { rows: 8, vectors: 2 }),
    matmulVariant("gemv", {
      name: "split_inner",
      wgsl: wgslFile("matmul_split_inner.wgsl", splitInnerWgsl),
      rows: 1,
      vectors: 8,
    }),
  ].map((variant) => ({ ...variant, unsupported: tooMany })),
};
