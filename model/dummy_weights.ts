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
    const scale = this.#scale(tensor) / 2 ** 23;
    const offset = tensor.role === "norm" ? 1 : 0;
    let at = 0;
    for (let row = rowStart; row < rowEnd; row++) {
      const first = row * tensor.columns;
      for (let i = first + columnStart; i < first + columnEnd; i++) {
        into[at++] = offset + ((elementBits(key, i) >>> 8) - 2 ** 23) * scale;
      }
    }
  }

  /** The bound of the tensor's numbers for every row: no number needs to be made for it. */
  rowMagnitudes({ tensor, rowStart, rowEnd }: WeightRange): Float32Array {
    return new Float32Array(Math.max(0, rowEnd - rowStart)).fill(this.#scale(tensor));
  }

  /** The bound of the tensor's numbers for every column. */
  columnMagnitudes({ tensor, columnStart, columnEnd }: WeightRange): Float32Array {
    return new Float32Array(columnEnd - columnStart).fill(this.#scale(tensor));
  }

  /** Holds nothing. */
  [Symbol.dispose](): void {}

  #scale({ role, columns }: CheckpointTensor): number {
    if (role === "norm" || role === "bias") return 0.5;
    return Math.sqrt(role === "embedding" && !this.#isTied ? 3 : 3 / columns);
  }
}
