/** How ranks of one process wait for each other, and agree on the one that keeps them from going on. */

import { RANK_FAULTS, RankError, type RankFault } from "../rank_error.ts";
import type { SharedCounter } from "./shared_counter.ts";

/** What ranks that need each other share, made once by whoever starts them. */
export interface WatchdogState {
  /** The first fault in one word of 64 bits, then a word a rank: whether it waits. */
  readonly buffer: SharedArrayBuffer;
  /** How long a rank may keep others waiting, in ms. */
  readonly timeoutMs: number;
}

/** Who waits for whom, by global rank, and what the peer is at fault for if that takes too long. */
export interface Wait {
  readonly waiter: number;
  readonly peer: number;
  readonly did: RankFault["did"];
}

/** A rank that sleeps looks up this often, in case another one is at fault. */
const SLICE_MS = 50;

/** Makes what ranks share, all ranks of the layout up to the last of these. */
export function createWatchdogState(
  globalRanks: readonly number[],
  timeoutMs: number,
): WatchdogState {
  return { buffer: new SharedArrayBuffer(8 + 4 * (1 + Math.max(...globalRanks))), timeoutMs };
}

/**
 * The one timeout of ranks that need each other, and the first fault. A rank that waits itself is never
 * at fault, for it is another that keeps it: its peers' time begins anew, once for each rank at most.
 * So one timeout does for all stages of a pipeline, and the rank that is named could have come.
 */
export class Watchdog {
  readonly #fault: BigInt64Array<SharedArrayBuffer>;
  readonly #waits: Int32Array;
  readonly #timeoutMs: number;

  /** The view of one thread. */
  constructor({ buffer, timeoutMs }: WatchdogState) {
    this.#fault = new BigInt64Array(buffer, 0, 1);
    this.#waits = new Int32Array(buffer, 8);
    this.#timeoutMs = timeoutMs;
  }

  /** The first fault: rank and deed in one word, so that all ranks see the same. */
  get fault(): RankFault | undefined {
    const word = Atomics.load(this.#fault, 0);
    if (word === 0n) return undefined;
    const [globalRank, did, ms] = [word & 0xffffn, word >> 16n & 0xffn, word >> 24n];
    return {
      globalRank: Number(globalRank) - 1,
      did: RANK_FAULTS[Number(did)]!,
      ...(ms > 0n ? { withinMs: Number(ms) } : {}),
    };
  }

  /** Says that a rank is at fault; only the first fault counts. */
  abort({ globalRank, did, withinMs = 0 }: RankFault): void {
    const deed = BigInt(RANK_FAULTS.indexOf(did)) << 16n | BigInt(Math.ceil(withinMs)) << 24n;
    Atomics.compareExchange(this.#fault, 0, 0n, BigInt(globalRank + 1) | deed);
    this.release();
  }

  /** The first fault, once there is one; nothing where {@linkcode release} comes first. */
  async aborted(): Promise<RankFault | undefined> {
    await Atomics.waitAsync(this.#fault, 0, 0n).value;
    return this.fault;
  }

  /** Lets whoever waits for a fault go. */
  release(): void {
    Atomics.notify(this.#fault, 0);
  }

  /** Whether a rank waits for another. */
  isWaiting(globalRank: number): boolean {
    return Atomics.load(this.#waits, globalRank) > 0;
  }

  /**
   * Sleeps until a counter is `least`.
   * @throws {RankError} where a rank is at fault, or the peer keeps this one waiting for too long.
   */
  wait(counter: SharedCounter, least: number, { waiter, peer, did }: Wait): void {
    const withinMs = this.#timeoutMs;
    Atomics.store(this.#waits, waiter, 1);
    const begun = performance.now();
    let start = begun;
    while (!counter.sleep(least, SLICE_MS)) {
      const { fault } = this;
      if (fault) throw new RankError(fault);
      const now = performance.now();
      // Ranks that wait for each other in a circle would wait for ever.
      const isPatient = now - begun < withinMs * this.#waits.length;
      if (isPatient && this.isWaiting(peer)) start = now;
      else if (now - start > withinMs) this.abort({ globalRank: peer, did, withinMs });
    }
    Atomics.store(this.#waits, waiter, 0);
  }
}
