import type { Program } from "../device/program.ts";
import { checkShape } from "./check_shape.ts";
import {
  type Cost,
  type EdgeCase,
  type ErrorBound,
  type HostTensors,
  type Kernel,
  type Magnitude,
  NONE,
  type Tensor,
} from "./kernel.ts";

/**
 * A kernel applied to a shape, its tensors joined to the names of a surrounding list of operations.
 * The shape is closed over, so that lists can mix kernels.
 */
export interface Operation {
  /** The kernel's key in the registry. */
  readonly kernel: string;
  /** Kernels of one kind and class of shape share the choice of a variant. */
  readonly shapeClass: string;
  /** Ways to run it; `naive` first. */
  readonly variants: readonly OperationVariant[];
  /** Own tensor name to joint name. */
  readonly names: Readonly<Record<string, string>>;
  /** Tensors by own name. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Own names of the tensors that it writes. */
  readonly outputs: readonly string[];
  /** Work of a run. */
  readonly cost: Cost;
  /** Computes the outputs in float64 in host tensors by own name, unpadded. */
  readonly reference: (tensors: HostTensors) => void;
  /** Largest absolute error that rounding explains, from the magnitudes of all tensors by own name. */
  readonly errorBound: (tensors: Readonly<Record<string, Magnitude>>) => ErrorBound;
  /** The same kernel on operands that a measured run does not have, by what is special about them. */
  readonly edgeCases: () => ReadonlyMap<string, Operation>;
}

/** A variant with its shape filled in. */
export interface OperationVariant {
  /** The variant's name. */
  readonly name: string;
  /** Why it cannot run this shape, where it cannot. */
  readonly unsupported: string | undefined;
  /** The program for this shape. */
  readonly program: () => Program;
}

/**
 * Applies a kernel to a shape; `names` renames its tensors, the others keep their names.
 * @throws {RangeError} that names the first field of the shape which is missing or out of range.
 */
export function operation<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  names: Readonly<Record<string, string>> = {},
): Operation {
  checkShape(kernel, shape);
  const tensors = kernel.tensors(shape);
  // A binding may not be read and written in one dispatch, so unused ones have two joint names.
  const joint = (name: string) => {
    if (tensors[name] !== NONE) return names[name] ?? name;
    return kernel.outputs.includes(name) ? "none_written" : "none";
  };
  return {
    kernel: kernel.name,
    shapeClass: shapeClass(kernel, shape),
    variants: kernel.variants.map((variant) => ({
      name: variant.name,
      unsupported: variant.unsupported?.(shape),
      program: () => variant.program(shape),
    })),
    names: Object.fromEntries(Object.keys(tensors).map((name) => [name, joint(name)])),
    tensors,
    outputs: kernel.outputs.filter((name) => tensors[name] !== NONE),
    cost: kernel.cost(shape),
    reference: (values) => kernel.reference(shape, values),
    errorBound: (magnitudes) => kernel.errorBound(shape, magnitudes),
    edgeCases: () =>
      new Map(kernel.edgeCases?.(shape).map((edge) => [edge.name, edgeOperation(kernel, edge)])),
  };
}

function edgeOperation<Shape>(
  kernel: Kernel<Shape>,
  { shape, fills = {} }: EdgeCase<Shape>,
): Operation {
  const plain = operation(kernel, shape);
  const tensors = Object.entries(plain.tensors).map(([name, tensor]) => {
    const fill = fills[name] ?? tensor.fill;
    return [name, { ...tensor, fill }];
  });
  return { ...plain, tensors: Object.fromEntries(tensors) };
}

/** Shapes alike enough to share a tuning result: each size is rounded up to a power of two. */
function shapeClass<Shape>({ name, untuned = [] }: Kernel<Shape>, shape: Shape): string {
  const parts = Object.entries(shape as Record<string, unknown>)
    .filter(([key]) => !untuned.includes(key as keyof Shape))
    .map(([key, value]) =>
      `${key}=${typeof value === "number" ? 2 ** Math.ceil(Math.log2(Math.max(1, value))) : value}`
    );
  return [name, ...parts.sort()].join(" ");
}
