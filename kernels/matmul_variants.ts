import type { Variant } from "./kernel.ts";
import { matmulProgram, type MatmulShape, type MatmulTile } from "./matmul.ts";
import naiveWgsl from "./matmul_naive.wgsl" with { type: "text" };
import { type RegisterTile, registerTile } from "./register_tile.ts";
import { wgslFile } from "./wgsl_file.ts";

/** Invocations of a register-tile workgroup: one native vector of a software adapter. */
const WORKGROUP_SIZE = 8;

/** A variant of a kernel, from its shader and the tile that a workgroup computes. */
export function matmulVariant(
  kernel: string,
  { name, ...tile }: MatmulTile & { readonly name: string },
): Variant<MatmulShape> {
  return { name, program: (shape) => matmulProgram(`${kernel}/${name}`, shape, tile) };
}

/** A register-tile variant of a kernel. */
export function registerTileVariant(
  kernel: string,
  { rows, vectors }: RegisterTile,
): Variant<MatmulShape> {
  return matmulVariant(kernel, {
    name: `register_tile_${rows}x${vectors * 4}`,
    wgsl: wgslFile("register_tile.ts", registerTile({ rows, vectors })),
    rows,
    vectors: WORKGROUP_SIZE * vectors,
  });
}

/** The variant `naive` of a matmul kernel: an invocation owns an element of the output. */
export function naiveMatmul(kernel: string): Variant<MatmulShape> {
  const wgsl = wgslFile("matmul_naive.wgsl", naiveWgsl);
  return matmulVariant(kernel, { name: "naive", wgsl, rows: 8, vectors: 2 });
}
