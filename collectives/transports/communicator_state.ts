import { BLOCK_WORDS, MEMORIES, type Memory } from "../step_program.ts";
import type { WatchdogState } from "./watchdog.ts";

/** What ranks share, made once by whoever starts them and given to each. */
export interface CommunicatorState {
  readonly memory: WebAssembly.Memory;
  /** collectives/reduce.wasm; without it sums are plain TypeScript, with the same bits. */
  readonly reduce: WebAssembly.Module | undefined;
  /** The ranks in the layout, by rank of the communicator. */
  readonly globalRanks: readonly number[];
  /** Elements that each of a rank's memories can hold. */
  readonly capacity: number;
  /** Looks at a counter before the thread sleeps: many where each rank has a core, few where not. */
  readonly spins: number;
  readonly watchdog: WatchdogState;
}

/** What ranks are to share. */
export interface CommunicatorOptions
  extends Pick<CommunicatorState, "globalRanks" | "capacity" | "watchdog"> {
  /** Sums in WASM SIMD, or in plain TypeScript; wasm where absent. */
  readonly sums?: "wasm" | "plain" | undefined;
  /** Ranks of this process in all: as many as there are, where absent. */
  readonly ranksInAll?: number | undefined;
}

/** Most ranks of a communicator: for so many there is room in its control words. */
export const MAX_GROUP_RANKS = 64;
/** The word that a rank broadcasts. */
export const FLAG_WORD = 0;
/** Words that one rank's counter takes: two cache lines, so that no two ranks share one. */
const COUNTER_WORDS = 32;

const PAGE = 65536;
const CONTROL_BYTES = Math.ceil(4 * tableWord(MAX_GROUP_RANKS) / PAGE) * PAGE;
/** Arrays start this far apart: a page each, so that cores do not share lines. */
const ALIGN = 4096;

/** The word where a rank's counter of barriers begins. */
export function counterWord(rank: number): number {
  return (1 + rank) * COUNTER_WORDS;
}

/** The word where a rank's table begins: the addresses of a sum's sources. */
export function tableWord(rank: number): number {
  return counterWord(MAX_GROUP_RANKS) + rank * MAX_GROUP_RANKS;
}

/** Where one of a rank's memories begins, in bytes. */
export function memoryAddress(rank: number, memory: Memory, { capacity }: {
  readonly capacity: number;
}): number {
  const place = rank * MEMORIES.length + MEMORIES.indexOf(memory);
  return CONTROL_BYTES + place * Math.ceil((capacity + BLOCK_WORDS) * 4 / ALIGN) * ALIGN;
}

/** How often each rank has come to a barrier, as a text that changes when one does. */
export function communicatorProgress({ memory, globalRanks }: CommunicatorState): string {
  const words = new Int32Array(memory.buffer);
  return globalRanks.map((_, rank) => Atomics.load(words, counterWord(rank))).join();
}

/**
 * Makes what ranks of a group share; needs read permission for this program's own files.
 * @throws {RangeError} where a group cannot have so many ranks, or a process so much memory.
 */
export function createCommunicatorState(
  { globalRanks, capacity, watchdog, sums = "wasm", ranksInAll }: CommunicatorOptions,
): CommunicatorState {
  const ranks = globalRanks.length;
  if (ranks < 1 || ranks > MAX_GROUP_RANKS) {
    throw new RangeError(
      `Cannot make a group of ${ranks} ranks: legal are 1 to ${MAX_GROUP_RANKS} (MAX_GROUP_RANKS)`,
    );
  }
  const bytes = memoryAddress(ranks, "input", { capacity });
  const pages = Math.ceil(bytes / PAGE);
  if (pages > 65536) {
    throw new RangeError(
      `Cannot share memory between ${ranks} ranks: it would take ${bytes} bytes`,
    );
  }
  const binary = new URL("../reduce.wasm", import.meta.url);
  return {
    memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }),
    reduce: sums === "wasm" ? new WebAssembly.Module(Deno.readFileSync(binary)) : undefined,
    globalRanks,
    capacity,
    spins: (ranksInAll ?? ranks) <= navigator.hardwareConcurrency ? 20_000 : 20,
    watchdog,
  };
}
