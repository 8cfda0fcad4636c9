import { type Variant, vec4s } from "./kernel.ts";
import { matmulProgram, type MatmulShape } from "./matmul.ts";
import naiveWgsl from "./matmul_naive.wgsl" with { type: "text" };
import { type RegisterTile, registerTile } from "./register_tile.ts";
import { wgslFile } from "./wgsl_file.ts";

/** Invocations of a register-tile workgroup: one native vector of a software adapter. */
const WORKGROUP_SIZE = 8;

/** The variant `register_tile_<rows>x<columns>` of a matmul kernel: an invocation owns a tile of that size. */
export function registerTileVariant(kernel: string, tile: RegisterTile): Variant<MatmulShape> {
  const { rows, vectors } = tile;
  const name = `register_tile_${rows}x${vectors * 4}`;
  return {
    name,
    program: (shape) =>
      matmulProgram(shape, {
        name: `${kernel}/${name}`,
        wgsl: wgslFile("register_tile.ts", registerTile(tile)),
        workgroups: [
          Math.ceil(vec4s(shape.columns) / (WORKGROUP_SIZE * vectors)),
          Math.ceil(shape.tokens / rows),
        ],
      }),
  };
}

/** The variant `naive` of a matmul kernel: an invocation owns an element of the output. */
export function naiveMatmul(kernel: string): Variant<MatmulShape> {
  return {
    name: "naive",
    program: (shape) =>
      matmulProgram(shape, {
        name: `${kernel}/naive`,
        wgsl: wgslFile("matmul_naive.wgsl", naiveWgsl),
        workgroups: [Math.ceil(vec4s(shape.columns) / 2), Math.ceil(shape.tokens / 8)],
      }),
  };
}
