import type { Program, WgslPart } from "../device/program.ts";
import type { Variant } from "./kernel.ts";

/** How a variant works through the rows. */
interface RowVariant {
  readonly wgsl: WgslPart;
  /** Rows of a workgroup; one where absent. */
  readonly rowsPerWorkgroup?: number;
  /** Invocations that share a row, where the shader's WORKGROUP_SIZE says how many. */
  readonly invocations?: number;
}

/**
 * The variants of an operator that works row by row. `split_row` has 8 invocations a row: one native
 * vector of a software adapter; `workgroup_row` has 256: for a GPU.
 */
export function rowVariants<Shape>(
  variants: Readonly<Record<string, RowVariant>>,
  plan: {
    readonly rows: (shape: Shape) => number;
    readonly program: (shape: Shape) => Omit<Program, "workgroups">;
  },
): readonly Variant<Shape>[] {
  return Object.entries(variants).map(([name, { wgsl, rowsPerWorkgroup = 1, invocations }]) => ({
    name,
    program: (shape) => {
      const program = plan.program(shape);
      const constants = invocations ? { WORKGROUP_SIZE: invocations } : {};
      return {
        ...program,
        name: `${program.name}/${name}`,
        wgsl: [...program.wgsl, wgsl],
        constants: { ...program.constants, ...constants },
        workgroups: [Math.ceil(plan.rows(shape) / rowsPerWorkgroup), 1, 1],
      };
    },
  }));
}
