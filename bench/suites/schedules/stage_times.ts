/** How long stages took. */

import type { StageTimes } from "../../../planner/pipeline_law.ts";
import type { ReplicaTrace } from "../../../runtime/replica_trace.ts";

/** Measures the stages of some traces of the same layout. */
export function stageTimes(traces: readonly ReplicaTrace[]): StageTimes {
  const stages = traces[0]!.stages;
  const sums = Array.from({ length: stages }, () => new Map<number, number[]>());
  const hops: number[] = [];
  const heads: number[] = [];
  const tails: number[] = [];
  const engine: number[] = [];
  for (const { ranks, inFlight } of traces) {
    // Of a stage's ranks the slowest counts.
    const windows = Array.from({ length: stages }, () => [] as { start: number; end: number }[]);
    for (const { stage, steps } of ranks) {
      for (const [batch, { tokens, spans }] of steps.entries()) {
        const [first, last] = [spans[0]!, spans.at(-1)!];
        const known = windows[stage]![batch];
        const window = { start: first.start, end: last.end };
        const us = 1000 * (window.end - window.start);
        const list = sums[stage]!.get(tokens) ?? [];
        sums[stage]!.set(tokens, list);
        if (!known) list.push(us);
        else list.push(Math.max(us, list.pop()!));
        windows[stage]![batch] = known
          ? { start: Math.max(known.start, window.start), end: Math.max(known.end, window.end) }
          : window;
      }
    }
    for (let batch = 0; batch < inFlight.length; batch++) {
      for (let stage = 0; stage < stages; stage++) {
        const own = windows[stage]![batch];
        if (!own) continue;
        const before = stage > 0 ? windows[stage - 1]![batch]!.end : inFlight[batch]!.start;
        const freeAt = windows[stage]![batch - 1]?.end ?? 0;
        const us = 1000 * Math.max(0, own.start - Math.max(before, freeAt));
        (stage > 0 ? hops : heads).push(us);
      }
      const last = windows[stages - 1]![batch];
      if (last) tails.push(1000 * Math.max(0, inFlight[batch]!.end - last.end));
      const next = inFlight.find(({ start }) => start >= inFlight[batch]!.end);
      if (next) engine.push(1000 * (next.start - inFlight[batch]!.end));
    }
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
