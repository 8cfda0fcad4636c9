import { COLLECTIVES } from "../collectives/registry.ts";
import type { AlgorithmName, CollectiveName } from "../collectives/collective.ts";
import type { PreparedProgram, SharedRank } from "../collectives/transports/shared_memory.ts";
import { vec4s } from "../kernels/kernel.ts";
import type { Stage } from "../model/stage_program.ts";
import { padVocab } from "../parallel/shard.ts";

/** From this size on, two half-size steps beat one whole one; both add in rank order. */
const TWO_SHOT_BYTES = 16 * 2 ** 10;

/** How ranks that share the vocabulary find the greedy token: same token either way. */
export type HeadExchange = "all_gather" | "argmax";

/** What the ranks of a group have sent each other so far. */
export interface CollectiveCounts {
  allReduces: number;
  allGathers: number;
}

/** The other ranks of a tensor parallel group: collectives over shared memory. */
export class TensorParallelPeers {
  readonly counts: CollectiveCounts = { allReduces: 0, allGathers: 0 };
  readonly #end: SharedRank;
  readonly #head: HeadExchange;
  readonly #prepared = new Map<string, PreparedProgram>();

  /** Peers over one rank's end of the group's shared memory. */
  constructor(end: SharedRank, head: HeadExchange) {
    this.#end = end;
    this.#head = head;
  }

  /** The sum over all ranks, in rank order: bitwise the same on each. Valid until the next collective. */
  allReduce(own: Float32Array): Float32Array {
    this.counts.allReduces++;
    const algorithm = own.byteLength < TWO_SHOT_BYTES ? "one_shot" : "two_shot";
    return this.#run("all_reduce", algorithm, { operand: own, count: own.length });
  }

  /** The greedy token of each row from every rank's logits [rows, P/tp]; ties take the lowest id. */
  choose(
    logits: Float32Array,
    { rows, stage }: { readonly rows: number; readonly stage: Stage },
  ): readonly number[] {
    this.counts.allGathers++;
    const { tensorParallelSize, rank, model: { vocab } } = stage;
    const columns = padVocab(vocab) / tensorParallelSize;
    const stride = vec4s(columns) * 4;
    const best = (all: Float32Array, first: number, from_: number) => {
      let [value, id] = [-Infinity, from_];
      for (let c = 0; c < columns && from_ + c < vocab; c++) {
        if (all[first + c]! > value) [value, id] = [all[first + c]!, from_ + c];
      }
      return [value, id] as const;
    };
    if (this.#head === "argmax") {
      const pairs = Float32Array.from(
        Array.from({ length: rows }, (_, row) => best(logits, row * stride, rank * columns)).flat(),
      );
      const winners = this.#run("argmax", "one_shot", { operand: pairs, count: pairs.length });
      return Array.from({ length: rows }, (_, row) => winners[2 * row + 1]!);
    }
    const count = logits.length * tensorParallelSize;
    const all = this.#run("all_gather", "one_shot", { operand: logits, count });
    return Array.from({ length: rows }, (_, row) => {
      const candidates = Array.from(
        { length: tensorParallelSize },
        (_, peer) => best(all, peer * logits.length + row * stride, peer * columns),
      );
      return candidates.reduce((a, b) => b[0] > a[0] ? b : a)[1];
    });
  }

  #run(
    op: CollectiveName,
    algorithm: AlgorithmName,
    { operand, count }: { readonly operand: Float32Array; readonly count: number },
  ): Float32Array {
    const key = `${op} ${algorithm} ${count}`;
    let prepared = this.#prepared.get(key);
    if (!prepared) {
      const { program } = COLLECTIVES[op].algorithms[algorithm]!;
      prepared = this.#end.prepare(program, { count, inPlace: false });
      this.#prepared.set(key, prepared);
    }
    this.#end.array("input").set(operand);
    this.#end.run(prepared);
    return this.#end.array("output").subarray(0, count);
  }
}
