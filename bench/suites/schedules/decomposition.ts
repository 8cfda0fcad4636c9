/** Where the time of ranks went, from the spans that they measured. */

import type { Interval, ReplicaTrace, StepRecord } from "../../../runtime/replica_trace.ts";

const SHARES = ["busy", "fillDrain", "imbalance", "transfer", "hostGap", "idle"] as const;

/**
 * Time of ranks by what it was spent on, in ms: the first five sum to the wall time of all ranks,
 * `idle` is what of them lies between a rank's steps.
 */
export type Decomposition = Readonly<Record<typeof SHARES[number], number>>;

/** Adds up decompositions. */
export function addUp(parts: readonly Decomposition[]): Decomposition {
  const sums = SHARES.map((share) => [share, sumOf(parts, (part) => part[share])]);
  return Object.fromEntries(sums) as Decomposition;
}

/**
 * Splits the wall time of every rank of a replica. busy: the adapter worked; transfer: collectives and
 * sends, waiting for peers included; host gap: recording, submitting and reading back within a step,
 * and the time when no rank of the replica worked though batches were to come. A rank that idles while
 * another works waits for the pipeline to fill or drain where fewer batches are in flight than there
 * are stages, and is held up by a slower stage where there are as many.
 */
export function decompose(
  { stages, inFlight, ranks }: ReplicaTrace,
  wall: Interval,
): Decomposition {
  const work = ranks.map(({ steps }) => clip(steps.flatMap(pieces), wall));
  const busy = sumOf(work.flat(), (piece) => piece.busy);
  const transfer = sumOf(work.flat(), (piece) => piece.transfer);
  const within = sumOf(work.flat(), (p) => p.end - p.start - p.busy - p.transfer);
  let [fillDrain, imbalance, betweenGap] = [0, 0, 0];
  const lastEnd = Math.max(wall.start, ...inFlight.map(({ end }) => end));
  const edges = [
    wall.start,
    wall.end,
    ...work.flat().flatMap(({ start, end }) => [start, end]),
    ...clip(inFlight, wall).flatMap(({ start, end }) => [start, end]),
  ].sort((a, b) => a - b);
  const working = work.map((list) => new Cursor(list));
  const flying = inFlight.map((flight) => new Cursor([flight]));
  for (let i = 1; i < edges.length; i++) {
    const [from_, to] = [edges[i - 1]!, edges[i]!];
    if (to === from_) continue;
    const middle = (from_ + to) / 2;
    const workers = working.filter((cursor) => cursor.covers(middle)).length;
    const inFlight = flying.filter((cursor) => cursor.covers(middle)).length;
    const ms = (to - from_) * (ranks.length - workers);
    if (middle > lastEnd) fillDrain += ms;
    else if (workers === 0) betweenGap += ms;
    else if (inFlight < stages) fillDrain += ms;
    else imbalance += ms;
  }
  return {
    busy,
    transfer,
    fillDrain,
    imbalance,
    hostGap: within + betweenGap,
    idle: fillDrain + imbalance + betweenGap,
  };
}

interface Piece extends Interval {
  /** Of it, in ms. */
  readonly busy: number;
  readonly transfer: number;
}

/** A step's spans, and what lies between them, without gaps. */
function pieces({ spans }: StepRecord): readonly Piece[] {
  return spans.flatMap((span, i) => {
    const end = spans[i + 1]?.start ?? span.end;
    const ms = span.end - span.start;
    const own = span.kind === "compute"
      ? { busy: Math.min(ms, (span.gpuUs ?? ms * 1000) / 1000), transfer: 0 }
      : { busy: 0, transfer: ms };
    const gap = { start: span.end, end, busy: 0, transfer: 0 };
    return [{ start: span.start, end: span.end, ...own }, ...(end > span.end ? [gap] : [])];
  });
}

/** What of intervals lies within a window; pieces that reach out of it are left out. */
function clip<T extends Interval>(intervals: readonly T[], wall: Interval): readonly T[] {
  return intervals.filter(({ start, end }) => start >= wall.start && end <= wall.end);
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}

/** Walks over intervals in order. */
class Cursor {
  readonly #intervals: readonly Interval[];
  #next = 0;

  constructor(intervals: readonly Interval[]) {
    this.#intervals = [...intervals].sort((a, b) => a.start - b.start);
  }

  /** Whether a time, no earlier than the last one asked for, is inside an interval. */
  covers(time: number): boolean {
    while (this.#next < this.#intervals.length && this.#intervals[this.#next]!.end < time) {
      this.#next++;
    }
    const interval = this.#intervals[this.#next];
    return interval !== undefined && interval.start <= time;
  }
}
