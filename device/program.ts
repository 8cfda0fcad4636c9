/** One binding of a shader, in `@binding` order within `@group(0)`. */
export interface Binding {
  /** The shader's variable. */
  readonly name: string;
  /** What the shader does with it. */
  readonly access: "read" | "read_write" | "uniform";
}

/** A piece of a shader's text, and the file that a person would edit to change it. */
export interface WgslPart {
  /** Its path in the project; of a generated text its generator's. */
  readonly file: string;
  /** WGSL. */
  readonly text: string;
}

/** A compute shader with everything that is needed to run it once; plain data. */
export interface Program {
  /** `<kernel>/<variant>`, used in labels and error messages. */
  readonly name: string;
  /** The shader, whose entry point is `main`: its parts, one behind the other. */
  readonly wgsl: readonly WgslPart[];
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
  return JSON.stringify([shaderText(program), constants]);
}

/** The whole text of a program's shader. */
export function shaderText({ wgsl }: Pick<Program, "wgsl">): string {
  return wgsl.map(({ text }) => text).join("\n");
}

/** The file of a line of the whole text and the line's number in it, both counted from 1. */
export function sourceLine(
  { wgsl }: Pick<Program, "wgsl">,
  line: number,
): { readonly file: string; readonly line: number; readonly text: string } {
  let first = 1;
  for (const { file, text } of wgsl) {
    const lines = text.split("\n");
    if (line < first + lines.length) {
      return { file, line: line - first + 1, text: lines[line - first]! };
    }
    first += lines.length;
  }
  return { file: wgsl.at(-1)!.file, line, text: "" };
}
