import type { Operation } from "../../kernels/operation.ts";

/** The last variant that runs a shape: never the naive one where there is another. */
export function lastVariant(operation: Operation) {
  return operation.variants.findLast((variant) => variant.unsupported === undefined)!;
}
