/** How long stages took, and what that predicts. */

import { VirtualExecutor } from "../../../planner/virtual_executor.ts";
import { type Request, type ScheduledBatch, Scheduler } from "../../../schedules/scheduler.ts";
import type { SchedulerLimits } from "../../../schedules/scheduler.ts";
import type { ReplicaTrace } from "./decomposition.ts";

/** Mean times of a replica's stages over the batches that it ran, in us. */
export interface StageTimes {
  /** Of each stage for batches of so many tokens; collectives and sends included. */
  readonly byTokens: readonly ReadonlyMap<number, number>[];
  /** How many batches of so many tokens there were. */
  readonly batches: ReadonlyMap<number, number>;
  /** From one stage's send to the next one's start, where that one was idle. */
  readonly hop: number;
  /** From the last stage's end over the engine to the first stage's start. */
  readonly host: number;
}

/** Measures the stages of some traces of the same layout. */
export function stageTimes(traces: readonly ReplicaTrace[]): StageTimes {
  const stages = traces[0]!.stages;
  const sums = Array.from({ length: stages }, () => new Map<number, number[]>());
  const hops: number[] = [];
  const heads: number[] = [];
  const tails: number[] = [];
  const engine: number[] = [];
  for (const { ranks, flights } of traces) {
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
    for (let batch = 0; batch < flights.length; batch++) {
      for (let stage = 0; stage < stages; stage++) {
        const own = windows[stage]![batch];
        if (!own) continue;
        const before = stage > 0 ? windows[stage - 1]![batch]!.end : flights[batch]!.start;
        const freeAt = windows[stage]![batch - 1]?.end ?? 0;
        const us = 1000 * Math.max(0, own.start - Math.max(before, freeAt));
        (stage > 0 ? hops : heads).push(us);
      }
      const last = windows[stages - 1]![batch];
      if (last) tails.push(1000 * Math.max(0, flights[batch]!.end - last.end));
      const next = flights.find(({ start }) => start >= flights[batch]!.end);
      if (next) engine.push(1000 * (next.start - flights[batch]!.end));
    }
  }
  return {
    byTokens: sums.map((map) => new Map([...map].map(([tokens, list]) => [tokens, mean(list)]))),
    batches: new Map([...sums[0]!].map(([tokens, list]) => [tokens, list.length])),
    hop: mean(hops),
    host: mean(heads) + mean(tails) + mean(engine),
  };
}

/** The most batches of a replica that were in flight together. */
export function mostInFlight({ flights }: ReplicaTrace): number {
  const overlaps = flights.map(({ start }, i) =>
    flights.slice(0, i + 1).filter(({ end }) => end > start).length
  );
  return Math.max(0, ...overlaps);
}

/** Engine time between a result and the next launch, in us, of all batches launched after one. */
export function engineTimesUs({ flights }: ReplicaTrace): readonly number[] {
  const ends = flights.map(({ end }) => end);
  return flights.flatMap(({ start }, i) => {
    const before = ends.slice(0, i).filter((end) => end <= start);
    const latest = Math.max(...before);
    // A batch that only fills the queue was launched behind another one, not behind a result.
    const previous = flights[i - 1]?.start ?? -Infinity;
    return before.length > 0 && latest >= previous ? [1000 * (start - latest)] : [];
  });
}

/**
 * The time of a replica's batches by the pipeline law, in ms: those of one size leave at
 * min(1 / max t_i, min(depth, groups) / (sum t_i + sum hop + h)). Filling and draining are left out.
 */
export function lawMs({ byTokens, batches, hop, host }: StageTimes, inFlight: number): number {
  let us = 0;
  for (const [tokens, count] of batches) {
    const stages = byTokens.map((times) => times.get(tokens)!);
    const sum = stages.reduce((total, time) => total + time, 0) + hop * (stages.length - 1) + host;
    us += count / Math.min(1 / Math.max(...stages), inFlight / sum);
  }
  return us / 1000;
}

/** What a replica's engine is run with. */
export interface Simulated {
  readonly requests: readonly Request[];
  readonly limits: SchedulerLimits;
  readonly stages: number;
  readonly depth: number;
}

/** The time in which the engine serves requests in virtual time, with measured stage times, in ms. */
export async function simulateMs(
  { requests, limits, stages, depth }: Simulated,
  { byTokens, hop, host }: StageTimes,
): Promise<number> {
  const executor = new VirtualExecutor(stages, depth, {
    stageUs: (stage, batch) => nearest(byTokens[stage]!, tokensOf(batch)),
    hopUs: hop,
    hostUs: host,
  });
  return await executor.makespanUs(scheduler(requests, limits)) / 1000;
}

/** Idle share of equal stages without host time, 0 to 1: 1 - 1/p for step, (p - 1) / (m + p - 1) for a full queue. */
export async function idealBubble(
  replicas: readonly Simulated[],
): Promise<number> {
  let [busy, longest, stages] = [0, 0, 0];
  for (const { requests, limits, stages: own, depth } of replicas) {
    const executor = new VirtualExecutor(own, depth, { stageUs: () => 1 });
    longest = Math.max(longest, await executor.makespanUs(scheduler(requests, limits)));
    busy += executor.busyUs;
    stages += own;
  }
  return 1 - busy / (stages * longest);
}

function scheduler(requests: readonly Request[], limits: SchedulerLimits): Scheduler {
  const made = new Scheduler(limits);
  for (const request of requests) made.add(request);
  return made;
}

function tokensOf({ parts }: ScheduledBatch): number {
  return parts.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
}

function nearest(times: ReadonlyMap<number, number>, tokens: number): number {
  const known = times.get(tokens);
  if (known !== undefined) return known;
  const [closest] = [...times.keys()].sort((a, b) => Math.abs(a - tokens) - Math.abs(b - tokens));
  return times.get(closest!)!;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
