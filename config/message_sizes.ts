/** The sizes of messages in the way a configuration writes them, such as `4KiB:4MiB:*4`. */

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Every message carries whole 4-byte elements. */
const ELEMENT_BYTES = 4;

/** More sizes than this are taken for a slip of the pen. */
const MAX_SIZES = 1000;

/**
 * Lists the sizes that a text stands for, in bytes and in the order of writing.
 *
 * `FIRST:LAST:*FACTOR` multiplies, `FIRST:LAST:+STEP` adds, `A,B,C` or `A` lists.
 * SyntaxError where the text is none of these; RangeError where a size is not a multiple of 4 B or
 * stands twice, or where a range is empty or has too many.
 */
export function parseMessageSizes(text: string): readonly number[] {
  const range = /^([^:,]+):([^:,]+):(?:\*(\d+)|\+([^:,]+))$/.exec(text.trim());
  const sizes = range === null ? text.split(",").map(parseBytes) : rangeOf(range);
  const odd = sizes.find((size) => size < ELEMENT_BYTES || size % ELEMENT_BYTES !== 0);
  if (odd !== undefined) {
    throw new RangeError(`Cannot send "${odd}" bytes: not a multiple of ${ELEMENT_BYTES}`);
  }
  if (new Set(sizes).size !== sizes.length) {
    throw new RangeError(`Cannot use message sizes "${text}": a size stands twice`);
  }
  return sizes;
}

/** Tells whether {@linkcode parseMessageSizes} can read a text. */
export function isMessageSizes(text: string): boolean {
  try {
    return parseMessageSizes(text).length > 0;
  } catch {
    return false;
  }
}

function rangeOf([text, first = "", last = "", factor, step]: readonly string[]): number[] {
  const end = parseBytes(last);
  const grow = factor === undefined
    ? { by: parseBytes(step ?? ""), next: (size: number) => size + parseBytes(step ?? "") }
    : { by: Number(factor) - 1, next: (size: number) => size * Number(factor) };
  const sizes: number[] = [];
  for (let size = parseBytes(first); size <= end; size = grow.next(size)) {
    sizes.push(size);
    if (grow.by < 1 || sizes.length > MAX_SIZES) {
      throw new RangeError(`Cannot use message sizes "${text}": more than ${MAX_SIZES} of them`);
    }
  }
  if (sizes.length === 0) {
    throw new RangeError(`Cannot use message sizes "${text}": the first is above the last`);
  }
  return sizes;
}

function parseBytes(text: string): number {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB)$/.exec(text.trim()) ?? [];
  const bytes = Number(amount) * (UNITS[unit] ?? NaN);
  if (!Number.isSafeInteger(bytes)) {
    throw new SyntaxError(`Cannot read the size "${text}": write a number and B, KiB, MiB or GiB`);
  }
  return bytes;
}
