import type { Interval } from "../../../runtime/replica_trace.ts";

/** How much of any window a condition held that depends on how many intervals cover a moment. */
export class Stopwatch {
  /** Where the condition may change, ascending, and the time for which it has held until there. */
  readonly #times: number[] = [];
  readonly #heldMs: number[] = [];
  /** Whether it holds from there on, as 0 or 1. */
  readonly #rates: number[] = [];

  /** The condition is asked with how many intervals of each list cover a moment. */
  constructor(
    lists: readonly (readonly Interval[])[],
    holds: (counts: readonly number[]) => boolean,
  ) {
    const edges = lists.flatMap((list, i) =>
      list.flatMap(({ start, end }) => [[start, i, 1], [end, i, -1]] as const)
    ).sort((a, b) => a[0] - b[0]);
    const counts = lists.map(() => 0);
    let heldMs = 0;
    for (const [time, i, change] of edges) {
      heldMs += this.#rates.length > 0 ? this.#rates.at(-1)! * (time - this.#times.at(-1)!) : 0;
      counts[i]! += change;
      this.#times.push(time);
      this.#heldMs.push(heldMs);
      this.#rates.push(holds(counts) ? 1 : 0);
    }
  }

  /** For how long it held within a window, in ms; 0 for one that ends before it begins. */
  msWithin({ start, end }: Interval): number {
    return end > start ? this.#until(end) - this.#until(start) : 0;
  }

  #until(time: number): number {
    let [low, high] = [0, this.#times.length]; // the edges before `low` are no later than `time`
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const edge = low - 1;
    return this.#heldMs[edge]! + this.#rates[edge]! * (time - this.#times[edge]!);
  }
}
