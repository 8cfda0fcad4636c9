import type { Fill, HostArray, Tensor } from "../../kernels/kernel.ts";
import { hostArray } from "../../kernels/pack.ts";
import { elementBits, nameKey } from "../../statistics/counter_generator.ts";

/** The host numbers of a tensor: the same for the same name and seed, whatever else runs. */
export function fillTensor(tensor: Tensor, name: string, seed: number): HostArray {
  const array = hostArray(tensor);
  const key = nameKey(name, seed);
  const fill: Fill = tensor.fill;
  switch (fill.kind) {
    case "zero":
      break;
    case "words":
      array.set(fill.words);
      break;
    case "floats":
      array.set(fill.floats());
      break;
    case "integers": {
      const { from = 0, below } = fill;
      for (let i = 0; i < array.length; i++) array[i] = from + elementBits(key, i) % (below - from);
      break;
    }
    case "quantised":
      for (let i = 0; i < array.length; i++) array[i] = elementBits(key, i) % 255 - 127;
      break;
    case "scales":
      for (let i = 0; i < array.length; i++) {
        array[i] = fill.scale * (0.5 + elementBits(key, i) / 2 ** 32);
      }
      break;
    case "uniform": {
      const factor = fill.scale / 2 ** 31;
      for (let i = 0; i < array.length; i++) array[i] = (elementBits(key, i) - 2 ** 31) * factor;
    }
  }
  return array;
}
