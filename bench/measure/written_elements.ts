import type { HostArray } from "../../kernels/kernel.ts";
import type { Operation } from "../../kernels/operation.ts";

/**
 * Indices of the elements of a float output that operations write, found by their references on an
 * output full of NaN; inputs that other operations write are zeros meanwhile.
 */
export function writtenElements(
  operations: readonly Operation[],
  host: ReadonlyMap<string, HostArray>,
  output: string,
): readonly number[] {
  const outputs = new Set(operations.flatMap((o) => o.outputs.map((name) => o.names[name]!)));
  const values = new Float64Array(host.get(output)!.length).fill(NaN);
  for (const operation of operations) {
    if (!operation.outputs.some((name) => operation.names[name] === output)) continue;
    const own = Object.entries(operation.names).map(([name, joint]) => {
      if (joint === output) return [name, values] as const;
      const array = host.get(joint)!;
      return [name, outputs.has(joint) ? new Float64Array(array.length) : array] as const;
    });
    operation.reference(Object.fromEntries(own));
  }
  return [...values.keys()].filter((i) => !Number.isNaN(values[i]!));
}
