/** How long stages took. */

import type { StageTimes } from "../../../planner/pipeline_law.ts";
import type { Interval, ReplicaTrace } from "../../../runtime/replica_trace.ts";

/** Times of a replica's stages, of each batch that it ran, in us. */
export interface StageSamples {
  /** Of each stage for batches of so many tokens; collectives and sends included. */
  readonly byTokens: readonly ReadonlyMap<number, readonly number[]>[];
  /** From one stage's send to the next one's start, where that one was idle. */
  readonly hops: readonly number[];
  /** From a batch's launch to the first stage's start, where that one was idle. */
  readonly heads: readonly number[];
  /** From the last stage's end to the engine's having the result. */
  readonly tails: readonly number[];
  /** From a result to the next launch. */
  readonly engine: readonly number[];
}

/** Measures the stages of a replica; of a stage's ranks the slowest counts. */
export function stageSamples({ stages, ranks, inFlight }: ReplicaTrace): StageSamples {
  const byTokens = Array.from({ length: stages }, () => new Map<number, number[]>());
  const hops: number[] = [];
  const heads: number[] = [];
  const tails: number[] = [];
  const engine: number[] = [];
  const windows = Array.from({ length: stages }, () => [] as (Interval & { tokens: number })[]);
  const slowest = Array.from({ length: stages }, () => [] as number[]);
  for (const { stage, steps } of ranks) {
    for (const [batch, { tokens, start, end }] of steps.entries()) {
      const known = windows[stage]![batch];
      const us = 1000 * (end - start);
      slowest[stage]![batch] = Math.max(us, slowest[stage]![batch] ?? 0);
      windows[stage]![batch] = known
        ? { tokens, start: Math.max(known.start, start), end: Math.max(known.end, end) }
        : { tokens, start, end };
    }
  }
  for (const [stage, map] of byTokens.entries()) {
    for (const [batch, { tokens }] of windows[stage]!.entries()) {
      const list = map.get(tokens) ?? [];
      map.set(tokens, list);
      list.push(slowest[stage]![batch]!);
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
  return { byTokens, hops, heads, tails, engine };
}

/** Mean times of replicas of equal stages, of which there is at least one. */
export function stageTimes(samples: readonly StageSamples[]): StageTimes {
  const all = (of: (one: StageSamples) => readonly number[]) => mean(samples.flatMap(of));
  const stages = samples[0]!.byTokens.length;
  return {
    byTokens: Array.from({ length: stages }, (_, stage) => {
      const entries = samples.flatMap(({ byTokens }) => [...byTokens[stage]!]);
      const grouped = Map.groupBy(entries, ([tokens]) => tokens);
      return new Map(
        [...grouped].map(([tokens, lists]) => [tokens, mean(lists.flatMap(([, list]) => list))]),
      );
    }),
    p2pLatencyUs: all(({ hops }) => hops),
    hostUs: all(({ heads }) => heads) + all(({ tails }) => tails) + all(({ engine }) => engine),
  };
}

/** How many batches of so many tokens a replica ran. */
export function batchSizes({ ranks }: ReplicaTrace): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  for (const { tokens } of ranks[0]!.steps) sizes.set(tokens, (sizes.get(tokens) ?? 0) + 1);
  return sizes;
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
