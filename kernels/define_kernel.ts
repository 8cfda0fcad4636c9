import type { Binding, Program, WgslPart } from "../device/program.ts";
import type { Kernel, Variant } from "./kernel.ts";

/** What the variants of a kernel share. */
interface SharedProgram extends Pick<Program, "constants" | "params"> {
  /** Parts of the shader that come before a variant's own. */
  readonly wgsl: readonly WgslPart[];
  /** How much there is to compute along x and y; 1 where absent. */
  readonly size: readonly number[];
}

/** A value, or what it is for a shape. */
type Of<Shape, Value> = Value | ((shape: Shape) => Value);

/** What a variant has of its own. */
export interface VariantRecord<Shape> extends Pick<Variant<Shape>, "unsupported"> {
  /** The part of the shader that holds `main`. */
  readonly wgsl: Of<Shape, WgslPart>;
  /** How much of the size a workgroup computes along x and y; 1 where absent. */
  readonly tile: Of<Shape, readonly number[]>;
  /** Invocations of a workgroup, where the shader's WORKGROUP_SIZE says how many. */
  readonly workgroupSize?: number;
}

/** A kernel whose programs are still in two parts. */
export interface KernelRecord<Shape> extends Omit<Kernel<Shape>, "variants"> {
  readonly program: (shape: Shape) => SharedProgram;
  /** Why no variant can run a shape, where none can. */
  readonly unsupported?: Variant<Shape>["unsupported"];
  /** By name, `naive` first. */
  readonly variants: Readonly<Record<string, VariantRecord<Shape>>>;
}

/** A kernel from its record: programs bind the tensors in their order, then `params` where there are any. */
export function defineKernel<Shape>(
  { program, unsupported, variants, ...kernel }: KernelRecord<Shape>,
): Kernel<Shape> {
  const programOf = (name: string, own: VariantRecord<Shape>, shape: Shape): Program => {
    const { wgsl, constants, params, size } = program(shape);
    const bindings = Object.keys(kernel.tensors(shape)).map((tensor): Binding => ({
      name: tensor,
      access: kernel.outputs.includes(tensor) ? "read_write" : "read",
    }));
    const last = typeof own.wgsl === "function" ? own.wgsl(shape) : own.wgsl;
    const tile = typeof own.tile === "function" ? own.tile(shape) : own.tile;
    const [x, y] = [0, 1].map((axis) => Math.ceil((size[axis] ?? 1) / (tile[axis] ?? 1)));
    return {
      name: `${kernel.name}/${name}`,
      wgsl: [...wgsl, last],
      bindings: params.length > 0 ? [...bindings, { name: "params", access: "uniform" }] : bindings,
      constants: own.workgroupSize
        ? { ...constants, WORKGROUP_SIZE: own.workgroupSize }
        : constants,
      params,
      workgroups: [x!, y!, 1],
    };
  };
  return {
    ...kernel,
    variants: Object.entries(variants).map(([name, own]) => ({
      name,
      unsupported: (shape) => unsupported?.(shape) ?? own.unsupported?.(shape),
      program: (shape) => programOf(name, own, shape),
    })),
  };
}

/** The text of a file of this folder, as a part of a shader. */
export function wgslFile(name: string, text: string): WgslPart {
  return { file: `kernels/${name}`, text };
}
