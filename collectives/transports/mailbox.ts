/** One-way messages between two ranks through shared memory, several in flight. */

import { RankError } from "./shared_memory.ts";

/** A mailbox, made once by whoever starts the ranks and given to both ends. */
export interface Mailbox {
  readonly buffer: SharedArrayBuffer;
  /** Messages that may be in flight. */
  readonly slots: number;
  /** Elements of the longest message. */
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

/** Makes a mailbox for messages of up to `capacity` float32 elements. */
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

/** Puts a message in, waiting for room; `fill` writes its elements. */
export function sendTo(
  mailbox: Mailbox,
  count: number,
  fill: (into: Float32Array) => void,
): void {
  const words = new Int32Array(mailbox.buffer, 0, HEADER_WORDS);
  const written = Atomics.load(words, WRITTEN);
  waitFor(mailbox, { word: READ, isReady: (read) => written - read < mailbox.slots });
  fill(slot(mailbox, written, count));
  Atomics.store(words, WRITTEN, written + 1);
  Atomics.notify(words, WRITTEN);
}

/** Takes the oldest message out, waiting for it; the elements are valid only while `use` runs. */
export function receiveFrom(
  mailbox: Mailbox,
  count: number,
  use: (message: Float32Array) => void,
): void {
  const words = new Int32Array(mailbox.buffer, 0, HEADER_WORDS);
  const read = Atomics.load(words, READ);
  waitFor(mailbox, { word: WRITTEN, isReady: (written) => written > read });
  use(slot(mailbox, read, count));
  Atomics.store(words, READ, read + 1);
  Atomics.notify(words, READ);
}

/** Waits until a message is there, without taking it. */
export function awaitMessage(mailbox: Mailbox): void {
  const words = new Int32Array(mailbox.buffer, 0, HEADER_WORDS);
  const read = Atomics.load(words, READ);
  waitFor(mailbox, { word: WRITTEN, isReady: (written) => written > read });
}

function slot({ buffer, slots, capacity }: Mailbox, message: number, count: number): Float32Array {
  if (count > capacity) {
    throw new RangeError(`Cannot send ${count} elements: a message has room for ${capacity}`);
  }
  return new Float32Array(buffer, 4 * (HEADER_WORDS + message % slots * capacity), count);
}

function waitFor(
  { buffer, timeoutMs }: Mailbox,
  { word, isReady }: { readonly word: number; readonly isReady: (value: number) => boolean },
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
      throw new Error(`Cannot go on: no message came within ${timeoutMs} ms`);
    }
    Atomics.wait(words, word, seen, SLICE_MS);
  }
}
