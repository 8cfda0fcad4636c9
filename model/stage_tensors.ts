import { type Cost, type Tensor, tensorBytes } from "../kernels/kernel.ts";
import type { StageProgram } from "./stage_program.ts";

/** Every tensor of a program by its joint name; those that no operation uses are left out. */
export function stageTensors(program: StageProgram): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const op of program.ops) {
    if (op.kind !== "kernel") continue;
    for (const [name, joint] of Object.entries(op.operation.names)) {
      const tensor = op.operation.tensors[name]!;
      const known = tensors.get(joint);
      if (!known || tensorBytes(tensor) > tensorBytes(known)) tensors.set(joint, tensor);
    }
  }
  return tensors;
}

/** The work of each operation of a program. */
export function stageCosts({ ops, size }: StageProgram): readonly Cost[] {
  return ops.flatMap((op) => op.kind === "kernel" && size[op.rows] > 0 ? [op.operation.cost] : []);
}
