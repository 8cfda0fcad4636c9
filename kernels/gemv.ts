import { naiveProduct, registerTileVariant } from "./gemm.ts";
import type { Kernel } from "./kernel.ts";
import { vec4s } from "./kernel.ts";
import {
  productCost,
  productError,
  productProgram,
  productReference,
  type ProductShape,
  productTensors,
} from "./product.ts";
import splitInnerWgsl from "./product_split_inner.wgsl" with { type: "text" };

/** The most tokens for which a product counts as matrix times vectors. */
export const GEMV_TOKENS = 8;

const tooMany = ({ tokens }: ProductShape) =>
  tokens > GEMV_TOKENS ? `gemv takes 1 to ${GEMV_TOKENS} tokens, not ${tokens}` : undefined;

/** Matrix times 1 to 8 vectors: decoding. */
export const gemv: Kernel<ProductShape> = {
  name: "gemv",
  variants: [
    naiveProduct("gemv"),
    ...[
      { rows: 1, vectors: 2 },
      { rows: 1, vectors: 4 },
      { rows: 2, vectors: 2 },
      { rows: 4, vectors: 2 },
      { rows: 8, vectors: 2 },
    ].map((tile) => registerTileVariant("gemv", tile)),
    {
      name: "split_inner",
      program: (shape: ProductShape) =>
        productProgram(shape, {
          name: "gemv/split_inner",
          wgsl: splitInnerWgsl,
          workgroups: [Math.ceil(vec4s(shape.columns) / 8), shape.tokens],
        }),
    },
  ].map((variant) => ({ ...variant, unsupported: tooMany })),
  tensors: productTensors,
  outputs: ["out"],
  cost: productCost,
  reference: productReference,
  errorBound: productError,
};
