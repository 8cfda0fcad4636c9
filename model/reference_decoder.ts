import type { HostArray } from "../kernels/kernel.ts";
import { referenceRun, type Round } from "../kernels/reference_run.ts";
import { elementBits, nameKey } from "../statistics/counter_generator.ts";
import { stageBuffers } from "./stage_memory.ts";
import { type Stage, stageProgram } from "./stage_program.ts";
import { stageWeights } from "./stage_weights.ts";
import { hostWeight, type WeightSource } from "./weight_source.ts";

/** Tokens of one forward pass of the reference, and where their keys and values go. */
export interface ReferenceBatch {
  readonly tokenIds: readonly number[];
  readonly positions: readonly number[];
  readonly slots: readonly number[];
  readonly logitsIndices: readonly number[];
}

/** Logits and greedy choices in float64. */
export interface ReferenceResult {
  readonly tokenIds: readonly number[];
  readonly logits: readonly Float64Array[];
}

/** A whole decoder in float64, from the kernels' references and the weights as they are stored. */
export class ReferenceDecoder {
  readonly #stage: Stage;
  readonly #fixed: ReadonlyMap<string, HostArray>;
  readonly #caches = new Map<string, HostArray>();
  readonly #round: Round | undefined;

  private constructor(stage: Stage, fixed: ReadonlyMap<string, HostArray>, round?: Round) {
    this.#stage = stage;
    this.#fixed = fixed;
    this.#round = round;
    for (const [name, { rows, columns, role }] of stageBuffers(stage)) {
      if (role === "kv_cache") this.#caches.set(name, new Float64Array(rows * columns));
    }
  }

  /** Loads the weights of a stage, which must be the whole decoder on one rank. */
  static load(stage: Stage, weights: WeightSource): ReferenceDecoder {
    const fixed = new Map<string, HostArray>();
    for (const weight of stageWeights(stage)) {
      const { values, scales } = hostWeight(weight, weights);
      fixed.set(weight.name, values);
      if (scales) fixed.set(`${weight.name}.scale`, scales);
    }
    for (const [name, { rows, columns, fill, role }] of stageBuffers(stage)) {
      if (fill.kind === "floats") fixed.set(name, fill.floats());
      if (role === "unused") fixed.set(name, new Float32Array(rows * columns));
    }
    return new ReferenceDecoder(stage, fixed);
  }

  /**
   * The same decoder with an empty cache, in which every operation's result is moved by a random amount
   * within its own rounding error: how far logits then move is how far a device's may be off.
   */
  rounded(seed: number): ReferenceDecoder {
    return new ReferenceDecoder(this.#stage, this.#fixed, randomRound(seed));
  }

  /** Runs a batch over the KV cache. */
  step(batch: ReferenceBatch): ReferenceResult {
    const size = { tokens: batch.tokenIds.length, logitsRows: batch.logitsIndices.length };
    const operations = stageProgram(this.#stage, size).ops.flatMap((op) =>
      op.kind === "kernel" && size[op.rows] > 0 ? [op.operation] : []
    );
    const tensors = new Map([...this.#fixed, ...this.#caches]);
    tensors.set("input.ids", Uint32Array.from(batch.tokenIds));
    tensors.set("input.positions", Uint32Array.from(batch.positions));
    tensors.set("input.slots", Uint32Array.from(batch.slots));
    tensors.set("input.logits_indices", Uint32Array.from(batch.logitsIndices));
    for (const { outputs, names, tensors: shapes } of operations) {
      for (const name of outputs) {
        if (shapes[name]!.dtype === "uint32") {
          tensors.set(names[name]!, new Uint32Array(size.logitsRows));
        }
      }
    }
    referenceRun(operations, tensors, this.#round);
    if (size.logitsRows === 0) return { tokenIds: [], logits: [] };
    const all = tensors.get("output.logits") as Float64Array;
    const stride = all.length / size.logitsRows;
    return {
      tokenIds: [...tensors.get("output.token_ids") as Uint32Array],
      logits: batch.logitsIndices.map((_, i) =>
        all.slice(i * stride, i * stride + this.#stage.model.vocab)
      ),
    };
  }
}

function randomRound(seed: number): Round {
  let key = nameKey("rounding", seed);
  return (values, bound) => {
    key = (key + 1) >>> 0;
    for (let i = 0; i < values.length; i++) {
      values[i]! += bound * (elementBits(key, i) / 2 ** 31 - 1);
    }
  };
}
