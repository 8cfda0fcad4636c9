import type { WeightDType } from "../../../kernels/kernel.ts";
import { KERNEL_OPS, type KernelCase, type KernelOp } from "../../../model/kernel_ops.ts";

/** What the kernels suite of a configuration asks for. */
export interface KernelsRequest {
  readonly ops: readonly KernelOp[];
  readonly tensorParallelSizes: readonly number[];
  readonly tokens: readonly number[];
  readonly context: readonly number[];
  readonly dtype: WeightDType;
}

/** Every case of a request, in a fixed order: rank 0 stands for its group, shards being equal. */
export function kernelCases(request: KernelsRequest): readonly KernelCase[] {
  return request.ops.flatMap((op) => {
    const { usesContext, maxTokens = Infinity } = KERNEL_OPS[op];
    const contexts = usesContext ? request.context : request.context.slice(0, 1);
    return request.tensorParallelSizes.flatMap((tensorParallelSize) =>
      request.tokens.filter((tokens) => tokens <= maxTokens).flatMap((tokens) =>
        contexts.map((context) => ({
          op,
          dtype: request.dtype,
          tensorParallelSize,
          tensorParallelRank: 0,
          tokens,
          context: Math.max(context, tokens),
        }))
      )
    );
  });
}
