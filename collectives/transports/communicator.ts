/** Ranks of one process that share a WebAssembly memory: flags, barriers, sums. */

import { reduce } from "../reduce.ts";
import {
  BLOCK_WORDS,
  type Memory,
  type MoveKind,
  type ProgramShape,
  type StepProgram,
} from "../step_program.ts";

/** What ranks share, made once by whoever starts them and given to each. */
export interface CommunicatorState {
  readonly memory: WebAssembly.Memory;
  /** collectives/reduce.wasm; without it sums are plain TypeScript, with the same bits. */
  readonly reduce: WebAssembly.Module | undefined;
  readonly ranks: number;
  /** Elements that each of a rank's memories can hold. */
  readonly capacity: number;
  /** How long a rank waits for the others before it gives up, in ms. */
  readonly timeoutMs: number;
  /** Looks at a flag before the thread sleeps: many where each rank has a core, few where not. */
  readonly spins: number;
  /** What errors call the ranks, where the group is part of a layout; their places where absent. */
  readonly numbers?: readonly number[];
}

/** A rank that failed, as its peers see it. */
export class RankError extends Error {
  override readonly name = "RankError";

  /** The rank at fault, and what it did. */
  constructor(readonly rank: number, what: string, options?: ErrorOptions) {
    super(`Cannot go on: rank ${rank} ${what}`, options);
  }
}

const PAGE = 65536;
const MEMORIES: readonly Memory[] = ["input", "output", "scratch"];
/** Words that one rank's flags take: two cache lines, so that no two ranks share one. */
const FLAG_WORDS = 32;
const FAILED = 0;
const TOLD = 1;
const FIRST_FLAG = FLAG_WORDS;
const MAX_RANKS = 64;
/** Addresses of a sum's sources, a table a rank. */
const FIRST_TABLE = FIRST_FLAG + MAX_RANKS * FLAG_WORDS;
const CONTROL_BYTES = Math.ceil((FIRST_TABLE + MAX_RANKS * MAX_RANKS) * 4 / PAGE) * PAGE;
/** A sleeping rank looks up this often, in case nobody wakes it. */
const SLICE_MS = 50;
/** Arrays start this far apart: a page each, so that cores do not share lines. */
const ALIGN = 4096;

function arrayBytes(capacity: number): number {
  return Math.ceil((capacity + BLOCK_WORDS) * 4 / ALIGN) * ALIGN;
}

/** Looks before sleeping where every rank has a core of its own, and where not. */
export function spinsFor(ranks: number, cores: number): number {
  return ranks <= cores ? 20_000 : 20;
}

/** Memory for ranks; fails as a RangeError where a process cannot have so much. */
export function shareMemory(ranks: number, capacity: number): WebAssembly.Memory {
  const bytes = CONTROL_BYTES + ranks * MEMORIES.length * arrayBytes(capacity);
  const pages = Math.ceil(bytes / PAGE);
  if (ranks < 1 || ranks > MAX_RANKS || pages > 65536) {
    throw new RangeError(
      `Cannot share memory between ${ranks} ranks: it would take ${bytes} bytes`,
    );
  }
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

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

/** One rank's end of the shared memory. */
export class Communicator {
  readonly rank: number;
  readonly #shared: CommunicatorState;
  readonly #words: Int32Array;
  readonly #floats: Float32Array;
  readonly #sums: Sums;
  #epoch = 0;

  /** Joins; every rank must make as many calls of `barrier` and `run` as every other. */
  constructor(shared: CommunicatorState, rank: number) {
    this.#shared = shared;
    this.rank = rank;
    this.#words = new Int32Array(shared.memory.buffer);
    this.#floats = new Float32Array(shared.memory.buffer);
    this.#sums = shared.reduce
      ? new WebAssembly.Instance(shared.reduce, { ranks: { memory: shared.memory } })
        .exports as unknown as Sums
      : plainSums(shared.memory);
  }

  /** One of a rank's memories, as an array over the shared bytes. */
  array(memory: Memory, rank = this.rank): Float32Array {
    return new Float32Array(
      this.#shared.memory.buffer,
      this.#address(rank, memory),
      this.#shared.capacity,
    );
  }

  /** Works out the addresses of a program; in place, `input` is `output`. */
  prepare(program: StepProgram, shape: Omit<ProgramShape, "rank" | "ranks">): PreparedProgram {
    if (shape.count > this.#shared.capacity) {
      throw new RangeError(
        `Cannot run ${shape.count} elements: there is room for ${this.#shared.capacity}`,
      );
    }
    const steps = program({ ...shape, rank: this.rank, ranks: this.#shared.ranks });
    return {
      steps: steps.map(({ moves }) =>
        moves.map(({ to, count, sources, how = "sum" }) => ({
          to: this.#address(this.rank, to.memory) + 4 * to.start,
          sources: sources.map((s) => this.#address(s.rank, s.memory) + 4 * s.start),
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
          const span = (address: number) => ({ array: this.#floats, start: address / 4 });
          reduce(span(to), sources.map(span), move);
        } else if (sources.length === 1) this.#sums.copy(to, sources[0]!, count);
        else if (sources.length === 2) this.#sums.sum2(to, sources[0]!, sources[1]!, count);
        else {
          const table = FIRST_TABLE + this.rank * MAX_RANKS;
          sources.forEach((address, i) => this.#words[table + i] = address);
          this.#sums.sum(to, table * 4, sources.length, count);
        }
      }
    }
    this.barrier();
  }

  /**
   * Waits until every rank has come here as often.
   * @throws {RankError} where one failed, or does not come in time.
   */
  barrier(): void {
    const { ranks } = this.#shared;
    const words = this.#words;
    const own = FIRST_FLAG + this.rank * FLAG_WORDS;
    const epoch = ++this.#epoch;
    Atomics.store(words, own, epoch);
    if (Atomics.load(words, own + 1) > 0) Atomics.notify(words, own);
    for (let i = 1; i < ranks; i++) this.#await((this.rank + i) % ranks, epoch);
  }

  /** Leaves a number for all ranks to read after the next barrier. */
  broadcastFlag(value: number): void {
    Atomics.store(this.#words, TOLD, value);
  }

  /** The number that a rank left before the last barrier. */
  get flag(): number {
    return Atomics.load(this.#words, TOLD);
  }

  /** Tells every rank that this one failed; the first to fail is the one that is named. */
  abort(): void {
    this.#abort(this.rank);
  }

  #await(peer: number, epoch: number): void {
    const words = this.#words;
    const flag = FIRST_FLAG + peer * FLAG_WORDS;
    for (let spin = this.#shared.spins; spin > 0; spin--) {
      if (Atomics.load(words, flag) - epoch >= 0) return;
    }
    const start = performance.now();
    for (;;) {
      const failed = Atomics.load(words, FAILED);
      if (failed !== 0) throw new RankError(this.#number(failed - 1), "failed");
      const seen = Atomics.load(words, flag);
      if (seen - epoch >= 0) return;
      if (performance.now() - start > this.#shared.timeoutMs) {
        this.#abort(peer);
        const what = `did not come within ${this.#shared.timeoutMs} ms`;
        throw new RankError(this.#number(peer), what);
      }
      Atomics.add(words, flag + 1, 1);
      Atomics.wait(words, flag, seen, SLICE_MS);
      Atomics.sub(words, flag + 1, 1);
    }
  }

  #number(rank: number): number {
    return this.#shared.numbers?.[rank] ?? rank;
  }

  #abort(rank: number): void {
    Atomics.compareExchange(this.#words, FAILED, 0, rank + 1);
    for (let peer = 0; peer < this.#shared.ranks; peer++) {
      Atomics.notify(this.#words, FIRST_FLAG + peer * FLAG_WORDS);
    }
  }

  #address(rank: number, memory: Memory): number {
    const place = rank * MEMORIES.length + MEMORIES.indexOf(memory);
    return CONTROL_BYTES + place * arrayBytes(this.#shared.capacity);
  }
}

/** Marks a rank as failed from outside: for one that cannot do so any more. */
export function abort({ memory }: Pick<CommunicatorState, "memory">, rank: number): void {
  const words = new Int32Array(memory.buffer);
  Atomics.compareExchange(words, FAILED, 0, rank + 1);
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
