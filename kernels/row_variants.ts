import type { Program, WgslPart } from "../device/program.ts";
import type { Variant } from "./kernel.ts";

/** The shaders of a kernel whose rows need nothing of each other. */
interface RowShaders {
  readonly naive: WgslPart;
  /** One invocation a row, a vec4 at a time. */
  readonly vector: WgslPart;
  /** WORKGROUP_SIZE invocations a row, with workgroup memory. */
  readonly workgroup: WgslPart;
}

/**
 * The variants of a row operator: `naive`, `vector`, and a workgroup a row with 8 invocations
 * (`split_row`: one native vector of a software adapter) or 256 (`workgroup_row`: for a GPU).
 */
export function rowVariants<Shape>(
  shaders: RowShaders,
  plan: {
    readonly rows: (shape: Shape) => number;
    readonly program: (shape: Shape) => Omit<Program, "workgroups">;
  },
): readonly Variant<Shape>[] {
  const variant = (
    name: string,
    wgsl: WgslPart,
    work: { readonly rowsPerWorkgroup: number; readonly invocations?: number },
  ): Variant<Shape> => ({
    name,
    program: (shape) => {
      const program = plan.program(shape);
      return {
        ...program,
        name: `${program.name}/${name}`,
        wgsl: [...program.wgsl, wgsl],
        constants: {
          ...program.constants,
          ...(work.invocations ? { WORKGROUP_SIZE: work.invocations } : {}),
        },
        workgroups: [Math.ceil(plan.rows(shape) / work.rowsPerWorkgroup), 1, 1],
      };
    },
  });
  return [
    variant("naive", shaders.naive, { rowsPerWorkgroup: 64 }),
    variant("vector", shaders.vector, { rowsPerWorkgroup: 8 }),
    variant("split_row", shaders.workgroup, { rowsPerWorkgroup: 1, invocations: 8 }),
    variant("workgroup_row", shaders.workgroup, { rowsPerWorkgroup: 1, invocations: 256 }),
  ];
}
