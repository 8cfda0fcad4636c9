import { type Cost, type Tensor, tensorBytes } from "../kernels/kernel.ts";
import type { StageProgram, TensorRole } from "./stage_program.ts";

/** A tensor of a stage and what it is for. */
export interface StageTensor extends Tensor {
  readonly role: TensorRole;
}

/** Every tensor of a program by its joint name, in the largest size that an operation wants. */
export function stageTensors(program: StageProgram): ReadonlyMap<string, StageTensor> {
  const tensors = new Map<string, StageTensor>();
  for (const op of program.ops) {
    if (op.kind !== "kernel") continue;
    for (const [name, joint] of Object.entries(op.operation.names)) {
      const tensor = op.operation.tensors[name]!;
      const known = tensors.get(joint);
      if (!known || tensorBytes(tensor) > tensorBytes(known)) {
        tensors.set(joint, { ...tensor, role: op.roles[name]! });
      }
    }
  }
  return tensors;
}

/** Work of each operation of a program that has rows to work on. */
export function stageCosts({ ops, size }: StageProgram): readonly Cost[] {
  return ops.flatMap((op) => op.kind === "kernel" && size[op.rows] > 0 ? [op.operation.cost] : []);
}
