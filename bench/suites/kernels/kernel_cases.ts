import type { WeightDType } from "../../../kernels/kernel.ts";
import type { KernelCase, KernelOp } from "../../../model/kernel_ops.ts";

/** What the kernels suite of a configuration asks for. */
export interface KernelsRequest {
  readonly ops: readonly KernelOp[];
  readonly tensorParallelSizes: readonly number[];
  readonly tokens: readonly number[];
  readonly context: readonly number[];
  readonly dtype: WeightDType;
}

/** Ops whose work depends on the context; the others get one case with the first context. */
const CONTEXT_OPS: readonly KernelOp[] = ["attention", "cached_attention", "rope", "softmax"];

/** Every case of a request, in a fixed order: rank 0 stands for its group, shards being equal. */
export function kernelCases(request: KernelsRequest): readonly KernelCase[] {
  return request.ops.flatMap((op) =>
    request.tensorParallelSizes.flatMap((tensorParallelSize) =>
      request.tokens.filter((tokens) => op !== "gemv" || tokens <= 8).flatMap((tokens) =>
        (CONTEXT_OPS.includes(op) ? request.context : request.context.slice(0, 1)).map((
          context,
        ) => ({
          op,
          dtype: request.dtype,
          tensorParallelSize,
          tensorParallelRank: 0,
          tokens,
          context: Math.max(context, tokens),
        }))
      )
    )
  );
}
