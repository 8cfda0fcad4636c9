/** One binding of a shader, in `@binding` order within `@group(0)`. */
export interface Binding {
  /** The shader's variable. */
  readonly name: string;
  /** What the shader does with it. */
  readonly access: "read" | "read_write" | "uniform";
}

/** A compute shader with everything that is needed to run it once; plain data. */
export interface Program {
  /** `<kernel>/<variant>`, used in labels and error messages. */
  readonly name: string;
  /** The text of the shader, whose entry point is `main`. */
  readonly wgsl: string;
  /** Its bindings, in order. */
  readonly bindings: readonly Binding[];
  /** Values of the shader's `override` constants; a name the shader lacks is refused. */
  readonly constants: Readonly<Record<string, number>>;
  /** 32-bit unsigned words of the uniform `params`, at most 8; may change between runs. */
  readonly params: readonly number[];
  /** Workgroup counts (x, y, z). */
  readonly workgroups: readonly [number, number, number];
}

/** The key under which a program's pipeline is cached: shader and constants, not params. */
export function pipelineKey(program: Program): string {
  const constants = Object.entries(program.constants).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([program.wgsl, constants]);
}
