import { SharedCounter } from "./shared_counter.ts";
import { Watchdog, type WatchdogState } from "./watchdog.ts";

/** What both ends of a channel share, made once by whoever starts the ranks. */
export interface P2PChannelState {
  readonly buffer: SharedArrayBuffer;
  /** The global ranks at its ends. */
  readonly sender: number;
  readonly receiver: number;
  /** Messages that may be in flight. */
  readonly slots: number;
  /** Float32 elements of the longest message. */
  readonly capacity: number;
  readonly watchdog: WatchdogState;
}

/** Words before the messages; each counter has two cache lines, so that the ends share none. */
const HEADER_WORDS = 64;
const SPINS = 2000;

/** Makes what both ends of a channel share. */
export function createP2PChannelState(
  options: Omit<P2PChannelState, "buffer">,
): P2PChannelState {
  const bytes = 4 * (HEADER_WORDS + options.slots * options.capacity);
  return { ...options, buffer: new SharedArrayBuffer(bytes) };
}

/** One-way messages from rank to rank through shared memory, several in flight: either end. */
export class P2PChannel {
  readonly #state: P2PChannelState;
  readonly #watchdog: Watchdog;
  readonly #sent: SharedCounter;
  readonly #taken: SharedCounter;

  /** Opens an end. */
  constructor(state: P2PChannelState) {
    const words = new Int32Array(state.buffer, 0, HEADER_WORDS);
    this.#state = state;
    this.#watchdog = new Watchdog(state.watchdog);
    this.#sent = new SharedCounter(words, 0);
    this.#taken = new SharedCounter(words, HEADER_WORDS / 2);
  }

  /**
   * Puts a message in, waiting for a free slot.
   * @throws {RangeError} where it is longer than the capacity.
   * @throws {RankError} where a rank is at fault, or the receiver takes nothing in time.
   */
  send(message: Float32Array): void {
    const { sender: waiter, receiver: peer, slots } = this.#state;
    const sent = this.#sent.value;
    const target = this.#slot(sent, message.length);
    const least = sent + 1 - slots;
    if (!this.#taken.reaches(least, SPINS)) {
      this.#watchdog.wait(this.#taken, least, { waiter, peer, did: "took nothing" });
    }
    target.set(message);
    this.#sent.raise(sent + 1);
  }

  /**
   * Waits for the oldest message and gives its first elements, in place: valid until `pop`.
   * @throws {RankError} where a rank is at fault, or the sender sends nothing in time.
   */
  waitRecv(count: number): Float32Array {
    const { receiver: waiter, sender: peer } = this.#state;
    const taken = this.#taken.value;
    if (!this.#sent.reaches(taken + 1, SPINS)) {
      this.#watchdog.wait(this.#sent, taken + 1, { waiter, peer, did: "sent nothing" });
    }
    return this.#slot(taken, count);
  }

  /** Takes the oldest message out: its slot is free again. */
  pop(): void {
    this.#taken.raise(this.#taken.value + 1);
  }

  #slot(message: number, count: number): Float32Array {
    const { buffer, slots, capacity } = this.#state;
    if (count > capacity) {
      throw new RangeError(`Cannot send ${count} elements: a message has room for ${capacity}`);
    }
    return new Float32Array(buffer, 4 * (HEADER_WORDS + message % slots * capacity), count);
  }
}
