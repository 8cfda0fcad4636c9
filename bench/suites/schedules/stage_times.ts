/** How long stages took. */

import type { StageTimes } from "../../../planner/pipeline_law.ts";
import type { Interval, ReplicaTrace } from "../../../runtime/replica_trace.ts";

/** Measures the stages of a replica. */
export function stageTimes({ stages, ranks, inFlight }: ReplicaTrace): StageTimes {
  const sums = Array.from({ length: stages }, () => new Map<number, number[]>());
  const hops: number[] = [];
  const heads: number[] = [];
  const tails: number[] = [];
  const engine: number[] = [];
  // Of a stage's ranks the slowest counts.
  const windows = Array.from({ length: stages }, () => [] as Interval[]);
  for (const { stage, steps } of ranks) {
    for (const [batch, { tokens, start, end }] of steps.entries()) {
      const known = windows[stage]![batch];
      const us = 1000 * (end - start);
      const list = sums[stage]!.get(tokens) ?? [];
      sums[stage]!.set(tokens, list);
      list.push(known ? Math.max(us, list.pop()!) : us);
      windows[stage]![batch] = known
        ? { start: Math.max(known.start, start), end: Math.max(known.end, end) }
        : { start, end };
    }
  }
  for (const [batch, flight] of inFlight.entries()) {
    for (let stage = 0; stage < stages; stage++) {
      const own = windows[stage]![batch];
      if (!own) continue;
      const before = stage > 0 ? windows[stage - 1]![batch]!.end : flight.start;
      const freeAt = windows[stage]![batch - 1]?.end ?? 0;
      const us = 1000 * Math.max(0, own.start - Math.max(before, freeAt));
      (stage > 0 ? hops : heads).push(us);
    }
    const last = windows[stages - 1]![batch];
    if (last) tails.push(1000 * Math.max(0, flight.end - last.end));
    const next = inFlight.find(({ start }) => start >= flight.end);
    if (next) engine.push(1000 * (next.start - flight.end));
  }
  return {
    byTokens: sums.map((map) => new Map([...map].map(([tokens, list]) => [tokens, mean(list)]))),
    batches: new Map([...sums[0]!].map(([tokens, list]) => [tokens, list.length])),
    p2pLatencyUs: mean(hops),
    hostUs: mean(heads) + mean(tails) + mean(engine),
  };
}

/** The most batches of a replica that were in flight together. */
export function mostInFlight({ inFlight }: Pick<ReplicaTrace, "inFlight">): number {
  const overlaps = inFlight.map(({ start }, i) =>
    inFlight.slice(0, i + 1).filter(({ end }) => end > start).length
  );
  return Math.max(0, ...overlaps);
}

/** Engine time between a result and the next launch, in us, of all batches launched after one. */
export function engineTimesUs({ inFlight }: ReplicaTrace): readonly number[] {
  const ends = inFlight.map(({ end }) => end);
  return inFlight.flatMap(({ start }, i) => {
    const before = ends.slice(0, i).filter((end) => end <= start);
    const latest = Math.max(...before);
    // A batch that only fills the queue was launched behind another one, not behind a result.
    const previous = inFlight[i - 1]?.start ?? -Infinity;
    return before.length > 0 && latest >= previous ? [1000 * (start - latest)] : [];
  });
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
