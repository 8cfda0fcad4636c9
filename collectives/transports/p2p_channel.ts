/** One-way messages between two ranks through shared memory, several in flight. */

import { RankError } from "./communicator.ts";

/** A channel, made once by whoever starts the ranks and given to both ends. */
export interface P2PChannel {
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

/** Makes a channel. */
export function createP2PChannel(size: Omit<P2PChannel, "buffer">): P2PChannel {
  const bytes = 4 * (HEADER_WORDS + size.slots * size.capacity);
  return { ...size, buffer: new SharedArrayBuffer(bytes) };
}

/** Tells both ends that a rank failed. */
export function abortP2PChannel({ buffer }: P2PChannel, rank: number): void {
  const words = new Int32Array(buffer, 0, HEADER_WORDS);
  Atomics.compareExchange(words, FAILED, 0, rank + 1);
  Atomics.notify(words, WRITTEN);
  Atomics.notify(words, READ);
}

/**
 * Puts a message in, waiting for room.
 * @throws {RankError} where a rank failed, or the receiver takes nothing out in time.
 */
export function send(channel: P2PChannel, message: Float32Array): void {
  const words = new Int32Array(channel.buffer, 0, HEADER_WORDS);
  const written = Atomics.load(words, WRITTEN);
  const isReady = (read: number) => written - read < channel.slots;
  waitFor(channel, { word: READ, isReady, other: channel.receiver });
  slot(channel, written, message.length).set(message);
  Atomics.store(words, WRITTEN, written + 1);
  Atomics.notify(words, WRITTEN);
}

/**
 * Waits until a message is there, without taking it.
 * @throws {RankError} where a rank failed, or the sender sends nothing in time.
 */
export function waitRecv(channel: P2PChannel): void {
  const words = new Int32Array(channel.buffer, 0, HEADER_WORDS);
  const read = Atomics.load(words, READ);
  const isReady = (written: number) => written > read;
  waitFor(channel, { word: WRITTEN, isReady, other: channel.sender });
}

/** The oldest message, in place: valid until it is released. */
export function front(channel: P2PChannel, count: number): Float32Array {
  const words = new Int32Array(channel.buffer, 0, HEADER_WORDS);
  return slot(channel, Atomics.load(words, READ), count);
}

/** Takes the oldest message out: its room is free again. */
export function pop({ buffer }: P2PChannel): void {
  const words = new Int32Array(buffer, 0, HEADER_WORDS);
  Atomics.add(words, READ, 1);
  Atomics.notify(words, READ);
}

function slot(
  { buffer, slots, capacity }: P2PChannel,
  message: number,
  count: number,
): Float32Array {
  if (count > capacity) {
    throw new RangeError(`Cannot send ${count} elements: a message has room for ${capacity}`);
  }
  return new Float32Array(buffer, 4 * (HEADER_WORDS + message % slots * capacity), count);
}

function waitFor(
  { buffer, timeoutMs }: P2PChannel,
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
