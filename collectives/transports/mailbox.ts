/** One-way messages between two ranks through shared memory, several in flight. */

import { RankError } from "./shared_memory.ts";

/** A mailbox, made once by whoever starts the ranks and given to both ends. */
export interface Mailbox {
  readonly buffer: SharedArrayBuffer;
  /** The ranks at its ends. */
  readonly sender: number;
  readonly receiver: number;
  /** Messages that may be in flight. */
  readonly slots: number;
  /** Float32 elements of the longest message. */
  readonly capacity: number;
  /** How long an end waits for the other before it gives up, in ms. */
  readonly timeoutMs: number;
}

const HEADER_WORDS = 16;
const WRITTEN = 0;
const READ = 1;
const FAILED = 2;
const SLICE_MS = 50;
const SPINS = 2000;

/** Makes a mailbox. */
export function makeMailbox(size: Omit<Mailbox, "buffer">): Mailbox {
  const bytes = 4 * (HEADER_WORDS + size.slots * size.capacity);
  return { ...size, buffer: new SharedArrayBuffer(bytes) };
}

/** Tells both ends that a rank failed. */
export function failMailbox({ buffer }: Mailbox, rank: number): void {
  const words = new Int32Array(buffer, 0, HEADER_WORDS);
  Atomics.compareExchange(words, FAILED, 0, rank + 1);
  Atomics.notify(words, WRITTEN);
  Atomics.notify(words, READ);
}

/**
 * Puts a message in, waiting for room.
 * @throws {RankError} where a rank failed, or the receiver takes nothing out in time.
 */
export function send(mailbox: Mailbox, message: Float32Array): void {
  const words = new Int32Array(mailbox.buffer, 0, HEADER_WORDS);
  const written = Atomics.load(words, WRITTEN);
  const isReady = (read: number) => written - read < mailbox.slots;
  waitFor(mailbox, { word: READ, isReady, other: mailbox.receiver });
  slot(mailbox, written, message.length).set(message);
  Atomics.store(words, WRITTEN, written + 1);
  Atomics.notify(words, WRITTEN);
}

/**
 * Waits until a message is there, without taking it.
 * @throws {RankError} where a rank failed, or the sender sends nothing in time.
 */
export function awaitMessage(mailbox: Mailbox): void {
  const words = new Int32Array(mailbox.buffer, 0, HEADER_WORDS);
  const read = Atomics.load(words, READ);
  const isReady = (written: number) => written > read;
  waitFor(mailbox, { word: WRITTEN, isReady, other: mailbox.sender });
}

/** The oldest message, in place: valid until it is released. */
export function oldestMessage(mailbox: Mailbox, count: number): Float32Array {
  const words = new Int32Array(mailbox.buffer, 0, HEADER_WORDS);
  return slot(mailbox, Atomics.load(words, READ), count);
}

/** Takes the oldest message out: its room is free again. */
export function releaseMessage({ buffer }: Mailbox): void {
  const words = new Int32Array(buffer, 0, HEADER_WORDS);
  Atomics.add(words, READ, 1);
  Atomics.notify(words, READ);
}

function slot({ buffer, slots, capacity }: Mailbox, message: number, count: number): Float32Array {
  if (count > capacity) {
    throw new RangeError(`Cannot send ${count} elements: a message has room for ${capacity}`);
  }
  return new Float32Array(buffer, 4 * (HEADER_WORDS + message % slots * capacity), count);
}

function waitFor(
  { buffer, timeoutMs }: Mailbox,
  { word, isReady, other }: {
    readonly word: number;
    readonly isReady: (value: number) => boolean;
    readonly other: number;
  },
): void {
  const words = new Int32Array(buffer, 0, HEADER_WORDS);
  for (let spin = SPINS; spin > 0; spin--) if (isReady(Atomics.load(words, word))) return;
  const start = performance.now();
  for (;;) {
    const failed = Atomics.load(words, FAILED);
    if (failed !== 0) throw new RankError(failed - 1, "failed");
    const seen = Atomics.load(words, word);
    if (isReady(seen)) return;
    if (performance.now() - start > timeoutMs) {
      throw new RankError(other, `did nothing within ${timeoutMs} ms`);
    }
    Atomics.wait(words, word, seen, SLICE_MS);
  }
}
