import { type Cost, type HostTensors, type Kernel, NONE, type Tensor } from "./kernel.ts";

/** A kernel applied to a shape, its tensors joined to the names of a surrounding list of operations. */
export interface Operation {
  // Each kernel has its own shape; `operation` closes over it, so that lists can mix kernels.
  readonly kernel: string;
  /** Kernels of one kind and class of shape share the choice of a variant. */
  readonly shapeClass: string;
  readonly variants: readonly OperationVariant[];
  /** Own tensor name to joint name. */
  readonly names: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly string[];
  readonly cost: Cost;
  readonly reference: (tensors: HostTensors) => void;
  readonly errorBound: Kernel<unknown>["errorBound"] extends
    (shape: never, inputs: infer I) => number ? (inputs: I) => number : never;
}

/** A variant with its shape filled in. */
export interface OperationVariant {
  readonly name: string;
  readonly unsupported: string | undefined;
  readonly program: () => ReturnType<Kernel<unknown>["variants"][number]["program"]>;
}

/** Applies a kernel to a shape; `names` renames its tensors, the others keep their names. */
export function operation<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  names: Readonly<Record<string, string>> = {},
): Operation {
  const tensors = kernel.tensors(shape);
  // A binding may not be read and written in one dispatch, so unused ones have two joint names.
  const joint = (name: string) => {
    if (tensors[name] !== NONE) return names[name] ?? name;
    return kernel.outputs.includes(name) ? "none_written" : "none";
  };
  return {
    kernel: kernel.name,
    shapeClass: shapeClass(kernel.name, shape),
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
    errorBound: (inputs) => kernel.errorBound(shape, inputs),
  };
}

/** Shapes alike enough to share a tuning result: storage, and each size rounded to a power of two. */
function shapeClass(kernel: string, shape: unknown): string {
  const parts = Object.entries(shape as Record<string, unknown>)
    .filter(([key, value]) =>
      typeof value !== "object" && !/offset|start|theta|epsilon|vocab/i.test(key)
    )
    .map(([key, value]) =>
      `${key}=${typeof value === "number" ? 2 ** Math.ceil(Math.log2(Math.max(1, value))) : value}`
    );
  return [kernel, ...parts.sort()].join(" ");
}
