import type { DeviceBuffer } from "../device/buffer.ts";
import type { Device } from "../device/device.ts";
import type { Dispatch } from "../device/dispatch.ts";
import type { Operation, OperationVariant } from "../kernels/operation.ts";
import type { BatchSize, CollectiveOp, KernelOp, StageProgram } from "../model/stage_program.ts";

/** Dispatches of one submission, and what all ranks do with a tensor after it. */
export interface Segment {
  readonly dispatches: readonly Dispatch[];
  readonly collective: CollectiveOp | undefined;
  /** Places in the stage's program of its first and last operation. */
  readonly first: number;
  readonly last: number;
}

/** Picks the variant that runs an operation. */
export type SelectVariant = (operation: Operation) => OperationVariant | Promise<OperationVariant>;

/** What the operations of a stage are bound to. */
export interface SegmentBuffers {
  /** By joint name. */
  readonly tensors: ReadonlyMap<string, DeviceBuffer>;
  /** Uniforms with the number of rows. */
  readonly rows: Readonly<Record<keyof BatchSize, DeviceBuffer>>;
}

/** Turns stage programs into dispatches; bindings are shared by batches of all sizes. */
export class SegmentPlanner {
  readonly #device: Device;
  readonly #buffers: SegmentBuffers;
  readonly #choose: SelectVariant;
  readonly #bound = new Map<string, Dispatch>();

  /** A planner for one rank. */
  constructor(device: Device, buffers: SegmentBuffers, choose: SelectVariant) {
    this.#device = device;
    this.#buffers = buffers;
    this.#choose = choose;
  }

  /** The segments of a program: cut behind each collective, operations without rows left out. */
  async plan({ ops, size }: StageProgram): Promise<readonly Segment[]> {
    const segments: Segment[] = [];
    let dispatches: Dispatch[] = [];
    let first = 0;
    const cut = (last: number, collective?: CollectiveOp) => {
      segments.push({ dispatches, collective, first, last });
      [dispatches, first] = [[], last + 1];
    };
    for (const [place, op] of ops.entries()) {
      if (size[op.rows] === 0) continue;
      if (op.kind === "kernel") dispatches.push(await this.#dispatch(op));
      else cut(place, op);
    }
    cut(ops.length - 1);
    await this.#device.errors.settle();
    return segments;
  }

  async #dispatch(op: KernelOp): Promise<Dispatch> {
    const variant = await this.#choose(op.operation);
    const program = variant.program();
    await this.#device.pipelines.compile(program);
    const { names } = op.operation;
    // Programs of one name and one set of buffers differ in workgroup counts only.
    const key = `${program.name} ${op.layer} ${Object.values(names).join(" ")}`;
    let bound = this.#bound.get(key);
    if (!bound) {
      const { tensors, rows } = this.#buffers;
      const buffers = Object.entries(names).map(([name, joint]) => [name, tensors.get(joint)!]);
      const own = Object.fromEntries(buffers);
      bound = this.#device.bind(program, { ...own, params: rows[op.rows] });
      this.#bound.set(key, bound);
    }
    return { ...bound, program };
  }
}
