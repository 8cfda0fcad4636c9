/** A number in shared memory that one rank raises and others wait for. */
export class SharedCounter {
  readonly #words: Int32Array;
  readonly #at: number;

  /** Takes two words: the number, then how many sleep until it is raised. */
  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** The number. */
  get value(): number {
    return Atomics.load(this.#words, this.#at);
  }

  /** Sets the number and wakes who sleeps. */
  raise(value: number): void {
    Atomics.store(this.#words, this.#at, value);
    if (Atomics.load(this.#words, this.#at + 1) > 0) Atomics.notify(this.#words, this.#at);
  }

  /** Whether the number is `least` by now: looks up to `spins` times. */
  reaches(least: number, spins: number): boolean {
    for (; spins > 0; spins--) if ((this.value - least | 0) >= 0) return true;
    return false;
  }

  /** Sleeps until the number changes, at most `ms`; whether it is `least` then. */
  sleep(least: number, ms: number): boolean {
    const { value } = this;
    if ((value - least | 0) >= 0) return true;
    Atomics.add(this.#words, this.#at + 1, 1);
    Atomics.wait(this.#words, this.#at, value, ms);
    Atomics.sub(this.#words, this.#at + 1, 1);
    return this.reaches(least, 1);
  }
}
