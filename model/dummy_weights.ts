import { elementBits, nameKey } from "../statistics/counter_generator.ts";
import type { CheckpointTensor, WeightRange } from "./stage_weights.ts";
import type { WeightSource } from "./weight_source.ts";

/**
 * Seeded weights: every number depends on the seed, the tensor's name and its place in the uncut
 * tensor alone, so that a rank makes its shard by itself. Matrices keep the variance of what they
 * multiply (uniform with variance 1 / inputs), the embedding has variance 1 unless it is the head
 * too, norm weights lie around 1, and logits come out with about unit variance.
 */
export class DummyWeights implements WeightSource {
  readonly #seed: number;
  readonly #isTied: boolean;

  /** Weights of a seed, for a model whose head is the embedding or is not. */
  constructor(seed: number, { tiedEmbeddings }: { readonly tiedEmbeddings: boolean }) {
    this.#seed = seed;
    this.#isTied = tiedEmbeddings;
  }

  /** Writes a range as float32; 24 random bits a number, so that the product with the scale rounds once. */
  read(range: WeightRange, into: Float32Array): void {
    const { tensor, rowStart, rowEnd, columnStart, columnEnd } = range;
    const key = nameKey(tensor.name, this.#seed);
    const scale = this.bound(tensor) / 2 ** 23;
    const offset = tensor.role === "norm" ? 1 : 0;
    let at = 0;
    for (let row = rowStart; row < rowEnd; row++) {
      const first = row * tensor.columns;
      for (let i = first + columnStart; i < first + columnEnd; i++) {
        into[at++] = offset + ((elementBits(key, i) >>> 8) - 2 ** 23) * scale;
      }
    }
  }

  /** The bound of a tensor's numbers: none needs to be made for it. */
  bound({ role, columns }: CheckpointTensor): number {
    if (role === "norm" || role === "bias") return 0.5;
    return Math.sqrt(role === "embedding" && !this.#isTied ? 3 : 3 / columns);
  }

  /** Holds nothing. */
  [Symbol.dispose](): void {}
}
