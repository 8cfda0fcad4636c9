import type { AlgorithmName, CollectiveName } from "../collectives/registry.ts";
import { COLLECTIVES, type LOGITS_GATHERS } from "../collectives/registry.ts";
import { traffic } from "../collectives/step_program.ts";
import type { Communicator, PreparedProgram } from "../collectives/transports/communicator.ts";
import { vec4s } from "../kernels/kernel.ts";
import type { Stage } from "../model/stage_program.ts";
import { padVocab } from "../parallel/shard.ts";
import { NO_TOKEN } from "../schedules/logits_error.ts";

/** From this size on, two half-size steps beat one whole one; both add in rank order. */
const TWO_SHOT_BYTES = 16 * 2 ** 10;

/**
 * How ranks that share the vocabulary find the greedy token, the same either way. all_gather: every
 * rank has all logits; gather: tensor parallel rank 0 has; argmax: ranks send their best (value, index).
 */
export type LogitsGather = typeof LOGITS_GATHERS[number];

/** What ranks have done together so far. */
export interface CollectiveCounts {
  allReduces: number;
  /** Exchanges of logits or of what stands for them. */
  allGathers: number;
  /** Bytes that others read of this rank. */
  sentBytes: number;
}

interface Prepared {
  readonly program: PreparedProgram;
  readonly sentBytes: number;
}

/** The other ranks of a tensor parallel group: collectives over shared memory. */
export class TensorParallelGroup {
  readonly counts: CollectiveCounts = { allReduces: 0, allGathers: 0, sentBytes: 0 };
  readonly #communicator: Communicator;
  readonly #prepared = new Map<string, Prepared>();

  /** The group, seen from one of its ranks. */
  constructor(communicator: Communicator) {
    this.#communicator = communicator;
  }

  /** Elements that the shared memory needs for the batches of a stage. */
  static capacity(
    { model, tensorParallelSize, maxNumBatchedTokens }: Stage,
    logitsRows: number,
  ): number {
    const hidden = maxNumBatchedTokens * vec4s(model.hidden) * 4;
    const logits = logitsRows * vec4s(padVocab(model.vocab) / tensorParallelSize) * 4;
    return Math.max(2 * hidden + tensorParallelSize, logits * tensorParallelSize);
  }

  /** The sum over all ranks, in rank order: bitwise the same on each. Valid until the next collective. */
  allReduce(own: Float32Array): Float32Array {
    this.counts.allReduces++;
    const algorithm = own.byteLength < TWO_SHOT_BYTES ? "one_shot" : "two_shot";
    return this.#run("all_reduce", algorithm, { operand: own, count: own.length });
  }

  /** All ranks' slices, in rank order; valid until the next collective. */
  gatherSlices(own: Float32Array, count: number): Float32Array {
    return this.#run("all_gather", "one_shot", { operand: own, count });
  }

  /**
   * The greedy token of each row from every rank's logits [rows, P/tp]; ties take the lowest id. With
   * `gather` only rank 0 of the group learns it.
   */
  sampleGreedy(
    logits: Float32Array,
    { rows, stage, head }: {
      readonly rows: number;
      readonly stage: Stage;
      readonly head: LogitsGather;
    },
  ): readonly number[] {
    this.counts.allGathers++;
    const { tensorParallelSize: tp, tensorParallelRank, model: { vocab } } = stage;
    const columns = padVocab(vocab) / tp;
    const stride = vec4s(columns) * 4;
    const places = Array.from({ length: rows }, (_, row) => row);
    /** The best of a row of some rank's logits, which begin at `first`. */
    const bestOf = (all: Float32Array, first: number, rank: number) => {
      const real = Math.max(0, Math.min(columns, vocab - rank * columns)); // padding never wins
      return best(all.subarray(first, first + real), rank * columns);
    };
    if (head === "argmax") {
      const pairs = places.flatMap((row) => bestOf(logits, row * stride, tensorParallelRank));
      const operand = Float32Array.from(pairs);
      const winners = this.#run("argmax", "one_shot", { operand, count: operand.length });
      return places.map((row) => winners[2 * row + 1]!);
    }
    const all = this.#run(head, "one_shot", { operand: logits, count: logits.length * tp });
    if (head === "gather" && tensorParallelRank > 0) return [];
    const ranks = Array.from({ length: tp }, (_, rank) => rank);
    return places.map((row) => {
      const bests = ranks.map((rank) => bestOf(all, rank * logits.length + row * stride, rank));
      return bests.reduce((winner, other) => other[0] > winner[0] ? other : winner)[1];
    });
  }

  #run(
    op: CollectiveName,
    algorithm: AlgorithmName,
    { operand, count }: { readonly operand: Float32Array; readonly count: number },
  ): Float32Array {
    const communicator = this.#communicator;
    const key = `${op} ${algorithm} ${count}`;
    let prepared = this.#prepared.get(key);
    if (!prepared) {
      const { program } = COLLECTIVES[op].algorithms[algorithm]!;
      const shape = { count, inPlace: false };
      const { sentWords } = traffic(program, { ...shape, ranks: communicator.size });
      prepared = {
        program: communicator.prepare(program, shape),
        sentBytes: 4 * sentWords[communicator.rank]!,
      };
      this.#prepared.set(key, prepared);
    }
    communicator.array("input").set(operand);
    communicator.run(prepared.program);
    this.counts.sentBytes += prepared.sentBytes;
    return communicator.array("output").subarray(0, count);
  }
}

/**
 * The largest of some logits and its token, the first of which is `firstId`. NO_TOKEN, which is larger than
 * any, where one is not finite.
 */
function best(logits: Float32Array, firstId: number): [value: number, id: number] {
  let [value, id] = [-Infinity, firstId];
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i])) return [Infinity, NO_TOKEN];
    if (logits[i]! > value) [value, id] = [logits[i]!, firstId + i];
  }
  return [value, id];
}
