import type { WgslPart } from "../device/program.ts";

/** The text of a file of this folder, as a part of a shader. */
export function wgslFile(name: string, text: string): WgslPart {
  return { file: `kernels/${name}`, text };
}
