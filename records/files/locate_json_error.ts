/** Where a text stops being JSON, and what would have been legal there. */
export interface JsonErrorPlace {
  readonly line: number;
  readonly column: number;
  readonly found: string;
  readonly legal: string;
}

/** Lists and objects in each other: far more than anyone writes, and less than a call stack holds. */
const MAX_DEPTH = 500;

/** What is found where a text ends too early. */
export const END_OF_TEXT = "the end of the text";

const SPACE = /[ \t\r\n]*/y;
// deno-lint-ignore no-control-regex -- JSON allows no control character in a string
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Finds the first place at which a text is not JSON, or undefined where it is.
 *
 * V8's own message names a line and column for some mistakes only.
 */
export function locateJsonError(text: string): JsonErrorPlace | undefined {
  const reader = new Reader(text);
  try {
    reader.value();
    reader.expectEnd();
    return undefined;
  } catch (error) {
    if (!(error instanceof Misplaced)) throw error;
    const before = text.slice(0, reader.at).split("\n");
    return {
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
      found: text.slice(reader.at).match(/^[\w.+-]+|^[^]/)?.[0] ?? END_OF_TEXT,
      legal: error.message,
    };
  }
}

class Misplaced extends Error {}

class Reader {
  at = 0;
  #depth = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(): void {
    this.#skip(SPACE);
    if (this.#take("{")) this.#list("}", () => this.#member());
    else if (this.#take("[")) this.#list("]", () => this.value());
    else if (!this.#string() && !this.#skip(SCALAR)) throw new Misplaced("a value");
  }

  expectEnd(): void {
    this.#skip(SPACE);
    if (this.at < this.#text.length) throw new Misplaced("nothing more");
  }

  #member(): void {
    this.#skip(SPACE);
    if (!this.#string()) throw new Misplaced("a key in double quotes");
    this.#skip(SPACE);
    if (!this.#take(":")) throw new Misplaced('":"');
    this.value();
  }

  /** A text in double quotes; where it is none, nothing is passed over. */
  #string(): boolean {
    const start = this.at;
    if (!this.#take('"')) return false;
    do this.#skip(PLAIN); while (this.#skip(ESCAPE));
    if (this.#take('"')) return true;
    this.at = start;
    return false;
  }

  #list(end: string, item: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw new Misplaced(`at most ${MAX_DEPTH} levels`);
    this.#members(end, item);
    this.#depth--;
  }

  #members(end: string, item: () => void): void {
    this.#skip(SPACE);
    if (this.#take(end)) return;
    do {
      item();
      this.#skip(SPACE);
    } while (this.#take(","));
    if (!this.#take(end)) throw new Misplaced(`"," or "${end}"`);
  }

  #take(mark: string): boolean {
    if (!this.#text.startsWith(mark, this.at)) return false;
    this.at += mark.length;
    return true;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const matched = pattern.exec(this.#text)?.[0];
    if (matched === undefined) return false;
    this.at += matched.length;
    return true;
  }
}
