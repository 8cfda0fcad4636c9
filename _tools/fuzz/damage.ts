/** Damages a text the way people, editors, networks and other programs do. */

/** Numbers in [0, 1), one a call. */
export type Random = () => number;

/** One of a list. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "",
  "a.b",
  "ключ",
  "\u0000",
];
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 31 - 1,
  2 ** 53,
  "",
  "NaN",
  "/dev/zero",
  "/",
  "..",
  "=1+1",
  "\ud800",
  "x".repeat(100_000),
  [],
  [[]],
  {},
  { kind: "none" },
  Array.from({ length: 1000 }, (_, i) => i),
];

/** A JSON value with one thing changed somewhere: a key lost, doubled, renamed or unknown, a value of another kind. */
export function damageJson(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null || random() < 0.15) return pick(random, VALUES);
  if (Array.isArray(value)) {
    const at = Math.floor(random() * (value.length + 1));
    const items: unknown[] = [...value];
    const act = random();
    if (act < 0.2) items.splice(at, 1);
    else if (act < 0.4) items.splice(at, 0, pick(random, VALUES));
    else if (act < 0.5 && items.length > 0) items.push(items[0]);
    else items[at] = damageJson(items[at], random);
    return items;
  }
  const entries = Object.entries(value);
  const at = Math.floor(random() * Math.max(1, entries.length));
  const act = random();
  if (act < 0.2 || entries.length === 0) entries.push([pick(random, NAMES), pick(random, VALUES)]);
  else if (act < 0.35) entries.splice(at, 1);
  else if (act < 0.45) entries[at]![0] = pick(random, NAMES);
  else entries[at]![1] = damageJson(entries[at]![1], random);
  // defineProperty: a key `__proto__` is to be there, not to be set.
  const damaged = {};
  for (const [key, own] of entries) {
    Object.defineProperty(damaged, key, { value: own, enumerable: true, configurable: true });
  }
  return damaged;
}

const PIECES = ["{", "}", "[", "]", '"', ",", ";", "\n", "\r", "\t", "'", "=", "-", "1e999", "NaN"];

/** A text cut, doubled, spliced, of other line ends or another encoding. */
export function damageText(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  const end = Math.min(text.length, at + Math.floor(random() * 50));
  switch (Math.floor(random() * 9)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + pick(random, PIECES) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(end);
    case 3:
      return text.slice(0, end) + text.slice(at);
    case 4:
      return `\uFEFF${text}`;
    case 5:
      return text.replaceAll("\n", "\r\n");
    case 6:
      return text.replace(/\d+/g, (digits) => random() < 0.1 ? `-${digits}` : digits);
    case 7:
      return "[".repeat(Math.floor(random() * 10_000)) + text;
    default:
      return text.replaceAll(",", ";");
  }
}

/** Bytes with some of them changed, cut off or added. */
export function damageBytes(
  bytes: Uint8Array<ArrayBuffer>,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const act = random();
  const at = Math.floor(random() * (bytes.length + 1));
  if (act < 0.3) return bytes.slice(0, at);
  if (act < 0.4) return Uint8Array.from([...bytes.slice(at), ...bytes.slice(0, at)]);
  const damaged = bytes.slice();
  // Headers are at the front: that is where it hurts.
  const range = random() < 0.7 ? Math.min(64, bytes.length) : bytes.length;
  for (let i = 0; i <= random() * 4; i++) {
    damaged[Math.floor(random() * range)] = Math.floor(random() * 256);
  }
  return damaged;
}
