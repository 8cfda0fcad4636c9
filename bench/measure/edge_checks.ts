import type { Device } from "../../device/device.ts";
import { pipelineKey, type Program } from "../../device/program.ts";
import type { Operation, OperationVariant } from "../../kernels/operation.ts";
import { Workload } from "./workload.ts";

/** The first edge case that a variant fails. */
export interface EdgeFailure {
  /** What is special about its operands. */
  readonly edgeCase: string;
  readonly wrongElements: number;
}

/** Checks variants, untimed, on operands that measured runs do not have: each shader once. */
export class EdgeChecks {
  readonly #device: Device;
  readonly #seen = new Map<string, EdgeFailure | undefined>();

  /** Checks on a device; nothing is kept there. */
  constructor(device: Device) {
    this.#device = device;
  }

  /** The first edge case of an operation's kernel whose results a variant of it gets wrong. */
  async failure(operation: Operation, variant: OperationVariant): Promise<EdgeFailure | undefined> {
    for (const [edgeCase, edge] of operation.edgeCases()) {
      const own = edge.variants.find(({ name }) => name === variant.name);
      if (!own || own.unsupported !== undefined) continue;
      const program = edgeProgram(variant, own);
      const key = `${edgeCase} ${edge.shapeClass} ${pipelineKey(program)}`;
      if (!this.#seen.has(key)) {
        const wrongElements = await this.#wrongElements(edge, program);
        this.#seen.set(key, wrongElements > 0 ? { edgeCase, wrongElements } : undefined);
      }
      const failure = this.#seen.get(key);
      if (failure) return failure;
    }
    return undefined;
  }

  async #wrongElements(edge: Operation, program: Program): Promise<number> {
    using workload = new Workload(this.#device, [edge], { seed: 0 });
    await this.#device.pipelines.compile(program);
    workload.poison();
    this.#device.run(
      workload.bind(() => ({ name: program.name, unsupported: undefined, program: () => program })),
    );
    return (await workload.check()).wrongElements;
  }
}

/** The shader that is measured, with the constants and workgroups of an edge case's shape. */
function edgeProgram(measured: OperationVariant, own: OperationVariant): Program {
  const { name, wgsl, bindings } = measured.program();
  return { ...own.program(), name, wgsl, bindings };
}
