import { naiveMatmul, registerTileVariant } from "./matmul_variants.ts";
import { type Kernel, vec4s } from "./kernel.ts";
import { MATMUL, matmulProgram, type MatmulShape } from "./matmul.ts";
import splitInnerWgsl from "./matmul_split_inner.wgsl" with { type: "text" };
import { wgslFile } from "./wgsl_file.ts";

/** The most tokens for which a matmul counts as matrix times vectors. */
export const GEMV_TOKENS = 8;

const tooMany = ({ tokens }: MatmulShape) =>
  tokens > GEMV_TOKENS ? `gemv takes 1 to ${GEMV_TOKENS} tokens, not ${tokens}` : undefined;

/** Matmul of 1 to 8 tokens, e.g. of decoding. */
export const gemv: Kernel<MatmulShape> = {
  name: "gemv",
  ...MATMUL,
  variants: [
    naiveMatmul("gemv"),
    ...[
      { rows: 1, vectors: 2 },
      { rows: 1, vectors: 4 },
      { rows: 2, vectors: 2 },
      { rows: 4, vectors: 2 },
      { rows: 8, vectors: 2 },
    ].map((tile) => registerTileVariant("gemv", tile)),
    {
      name: "split_inner",
      program: (shape: MatmulShape) =>
        matmulProgram(shape, {
          name: "gemv/split_inner",
          wgsl: wgslFile("matmul_split_inner.wgsl", splitInnerWgsl),
          workgroups: [Math.ceil(vec4s(shape.columns) / 8), shape.tokens],
        }),
    },
  ].map((variant) => ({ ...variant, unsupported: tooMany })),
};
