import type { Config } from "../../../config/config.ts";
import { KERNEL_OPS, type KernelCase } from "../../../model/kernel_ops.ts";
import { type KernelKey, label } from "../../../records/rows/row.ts";
import type { Mode } from "./measurement.ts";

/**
 * Every case of a configuration's kernels suite that a filter leaves, in a fixed order: rank 0 stands
 * for its group, shards being equal.
 */
export function kernelCases(
  { kernels, dtype }: Pick<Config, "kernels" | "dtype">,
  filter?: RegExp,
): readonly KernelCase[] {
  if (!kernels) return [];
  const cases = kernels.ops.flatMap((op) => {
    const { usesContext, maxTokens = Infinity } = KERNEL_OPS[op];
    const contexts = usesContext ? kernels.context : kernels.context.slice(0, 1);
    return kernels.tensor_parallel_sizes.flatMap((tensorParallelSize) =>
      kernels.tokens.filter((tokens) => tokens <= maxTokens).flatMap((tokens) =>
        contexts.map((context) => ({
          op,
          dtype,
          tensorParallelSize,
          tensorParallelRank: 0,
          tokens,
          context: Math.max(context, tokens),
        }))
      )
    );
  });
  return cases.filter((c) => !filter || filter.test(kernelLabel(c)));
}

/** The independent variables of a case, which all its rows have. */
function caseKey(c: KernelCase) {
  return {
    op: c.op,
    dtype: c.dtype,
    tensor_parallel_size: c.tensorParallelSize,
    tensor_parallel_rank: c.tensorParallelRank,
    tokens: c.tokens,
    context: c.context,
  };
}

/** The independent variables of a row. */
export function kernelKey(
  c: KernelCase,
  { variant, mode }: { readonly variant: string; readonly mode: Mode },
  model: string,
): KernelKey {
  return { suite: "kernels", model, ...caseKey(c), variant, mode };
}

/** A case as `--filter` and progress see it. */
export function kernelLabel(c: KernelCase): string {
  return label("kernels", caseKey(c));
}
