import type { RankFault } from "../rank_error.ts";
import { reduce } from "../reduce.ts";
import type { Memory, MoveKind, ProgramShape, StepProgram } from "../step_program.ts";
import {
  type CommunicatorState,
  counterWord,
  FLAG_WORD,
  memoryAddress,
  tableWord,
} from "./communicator_state.ts";
import { SharedCounter } from "./shared_counter.ts";
import { type Wait, Watchdog } from "./watchdog.ts";

/** A program with its addresses worked out: ready to be run any number of times. */
export interface PreparedProgram {
  readonly steps: readonly (readonly PreparedMove[])[];
}

interface PreparedMove {
  /** Addresses in bytes. */
  readonly to: number;
  readonly sources: readonly number[];
  readonly count: number;
  readonly how: MoveKind;
}

interface Sums {
  readonly sum2: (to: number, a: number, b: number, count: number) => void;
  readonly sum: (to: number, table: number, sources: number, count: number) => void;
  readonly copy: (to: number, from_: number, count: number) => void;
}

/** Ranks of one process that share a WebAssembly memory, seen from one of them: barriers and sums. */
export class Communicator {
  readonly rank: number;
  readonly #state: CommunicatorState;
  readonly #words: Int32Array;
  readonly #floats: Float32Array;
  readonly #sums: Sums;
  readonly #watchdog: Watchdog;
  readonly #arrivals: SharedCounter;
  readonly #peers: readonly { readonly arrivals: SharedCounter; readonly wait: Wait }[];
  #epoch = 0;

  /** Joins; every rank must make as many calls of `barrier` and `run` as every other. */
  constructor(state: CommunicatorState, rank: number) {
    const { memory, globalRanks, watchdog } = state;
    this.#state = state;
    this.rank = rank;
    this.#words = new Int32Array(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
    this.#sums = state.reduce
      ? new WebAssembly.Instance(state.reduce, { ranks: { memory } }).exports as unknown as Sums
      : plainSums(memory);
    this.#watchdog = new Watchdog(watchdog);
    // From the next rank on, so that not all look at the same one.
    const [own, ...peers] = globalRanks.map((_, i) => {
      const peer = (rank + i) % globalRanks.length;
      return {
        arrivals: new SharedCounter(this.#words, counterWord(peer)),
        wait: { waiter: globalRanks[rank]!, peer: globalRanks[peer]!, did: "did not come" },
      } as const;
    });
    this.#arrivals = own!.arrivals;
    this.#peers = peers;
  }

  /** Ranks of the group. */
  get size(): number {
    return this.#state.globalRanks.length;
  }

  /** One of a rank's memories, as an array over the shared bytes. */
  array(memory: Memory, rank = this.rank): Float32Array {
    const { memory: { buffer }, capacity } = this.#state;
    return new Float32Array(buffer, memoryAddress(rank, memory, this.#state), capacity);
  }

  /** Works out the addresses of a program; in place, `input` is `output`. */
  prepare(program: StepProgram, shape: Omit<ProgramShape, "rank" | "ranks">): PreparedProgram {
    const { capacity } = this.#state;
    if (shape.count > capacity) {
      throw new RangeError(`Cannot run ${shape.count} elements: there is room for ${capacity}`);
    }
    const address = (rank: number, place: { readonly memory: Memory; readonly start: number }) =>
      memoryAddress(rank, place.memory, this.#state) + 4 * place.start;
    const steps = program({ ...shape, rank: this.rank, ranks: this.size });
    return {
      steps: steps.map(({ moves }) =>
        moves.map(({ to, count, sources, how = "sum" }) => ({
          to: address(this.rank, to),
          sources: sources.map((source) => address(source.rank, source)),
          count,
          how,
        }))
      ),
    };
  }

  /** Runs a program together with all other ranks: when it returns, all are done. */
  run({ steps }: PreparedProgram): void {
    for (const moves of steps) {
      this.barrier();
      for (const move of moves) {
        const { to, sources, count } = move;
        if (move.how !== "sum") {
          const slice = (address: number) => ({ array: this.#floats, start: address / 4 });
          reduce(slice(to), sources.map(slice), move);
        } else if (sources.length === 1) this.#sums.copy(to, sources[0]!, count);
        else if (sources.length === 2) this.#sums.sum2(to, sources[0]!, sources[1]!, count);
        else {
          const table = tableWord(this.rank);
          sources.forEach((address, i) => this.#words[table + i] = address);
          this.#sums.sum(to, table * 4, sources.length, count);
        }
      }
    }
    this.barrier();
  }

  /**
   * Waits until every rank has come here as often.
   * @throws {RankError} where one is at fault, or does not come in time.
   */
  barrier(): void {
    const epoch = ++this.#epoch;
    this.#arrivals.raise(epoch);
    for (const { arrivals, wait } of this.#peers) {
      if (!arrivals.reaches(epoch, this.#state.spins)) this.#watchdog.wait(arrivals, epoch, wait);
    }
  }

  /** Leaves a number for all ranks to read after the next barrier. */
  broadcastFlag(value: number): void {
    Atomics.store(this.#words, FLAG_WORD, value);
  }

  /** The number that a rank left before the last barrier. */
  get flag(): number {
    return Atomics.load(this.#words, FLAG_WORD);
  }

  /** Ends the group: this rank is at fault, unless another one was before. */
  abort(did: RankFault["did"]): void {
    this.#watchdog.abort({ globalRank: this.#state.globalRanks[this.rank]!, did });
  }
}

/** The sums in plain TypeScript: the same additions in the same order. */
function plainSums(memory: WebAssembly.Memory): Sums {
  const array = new Float32Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  const add = (to: number, sources: readonly number[], count: number) =>
    reduce({ array, start: to / 4 }, sources.map((source) => ({ array, start: source / 4 })), {
      count,
    });
  return {
    copy: (to, from_, count) => add(to, [from_], count),
    sum2: (to, a, b, count) => add(to, [a, b], count),
    sum: (to, table, sources, count) =>
      add(to, [...words.subarray(table / 4, table / 4 + sources)], count),
  };
}
