/** What stage times predict: the pipeline law, and the engine itself in virtual time. */

import {
  type Request,
  Scheduler,
  type SchedulerLimits,
  type SchedulerOutput,
} from "../schedules/scheduler.ts";
import type { Schedule } from "../schedules/schedule.ts";
import { relativeLine } from "../statistics/link_fit.ts";
import { VirtualExecutor } from "./virtual_executor.ts";

/** Mean times of a replica's stages, in us. */
export interface StageTimes {
  /** Of each stage for batches of so many tokens; collectives and sends included. */
  readonly byTokens: readonly ReadonlyMap<number, number>[];
  /** From one stage's send to the next one's start, where that one was idle. */
  readonly p2pLatencyUs: number;
  /** From the last stage's end over the engine to the first stage's start. */
  readonly hostUs: number;
}

/** Batches of a replica: how many of so many tokens there are, and how many are in flight at once. */
export interface Batches {
  readonly sizes: ReadonlyMap<number, number>;
  readonly inFlight: number;
}

/**
 * The time of a replica's batches by the pipeline law, in ms: those of one size leave at
 * min(1 / max t_i, in flight / (sum t_i + (p - 1) * P2P latency + host)). Filling and draining are left out.
 */
export function steadyStateBoundMs(
  { sizes, inFlight }: Batches,
  { byTokens, p2pLatencyUs, hostUs }: StageTimes,
): number {
  let us = 0;
  for (const [tokens, count] of sizes) {
    const stages = byTokens.map((times) => batchUs(times, tokens));
    const sum = stages.reduce((total, time) => total + time, 0) +
      p2pLatencyUs * (stages.length - 1) + hostUs;
    us += count / Math.min(1 / Math.max(...stages), inFlight / sum);
  }
  return us / 1000;
}

/** What a replica's engine is run with. */
export interface Simulated {
  readonly requests: readonly Request[];
  readonly limits: SchedulerLimits;
  readonly stages: number;
  readonly maxConcurrentBatches: number;
  readonly schedule: Schedule;
}

/** The time in which the engine serves requests in virtual time, with measured stage times, in ms. */
export async function simulateMs(
  { requests, limits, stages, maxConcurrentBatches, schedule }: Simulated,
  { byTokens, p2pLatencyUs, hostUs }: StageTimes,
): Promise<number> {
  const executor = new VirtualExecutor(stages, maxConcurrentBatches, {
    stageUs: (stage, batch) => batchUs(byTokens[stage]!, tokensOf(batch)),
    p2pLatencyUs,
    hostUs,
  });
  return await executor.makespanUs(scheduler(requests, limits), schedule) / 1000;
}

/** Idle share of equal stages without host time, 0 to 1: 1 - 1/p for step, (p - 1) / (m + p - 1) for a full queue. */
export async function idealBubble(replicas: readonly Simulated[]): Promise<number> {
  let [busy, longest, stages] = [0, 0, 0];
  for (const { requests, limits, stages: own, maxConcurrentBatches, schedule } of replicas) {
    const executor = new VirtualExecutor(own, maxConcurrentBatches, { stageUs: () => 1 });
    const makespanUs = await executor.makespanUs(scheduler(requests, limits), schedule);
    longest = Math.max(longest, makespanUs);
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

function tokensOf({ scheduled }: SchedulerOutput): number {
  return scheduled.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
}

/**
 * Time of a batch of so many tokens, in us: as measured, between its measured neighbours, or beyond all
 * measured sizes on the line through them; the line keeps launches and tokens from costing less than 0.
 */
function batchUs(times: ReadonlyMap<number, number>, tokens: number): number {
  const known = times.get(tokens);
  if (known !== undefined) return known;
  const sizes = [...times.keys()].sort((a, b) => a - b);
  const above = sizes.findIndex((size) => size > tokens);
  if (above > 0) {
    const [low, high] = [sizes[above - 1]!, sizes[above]!];
    const share = (tokens - low) / (high - low);
    return (1 - share) * times.get(low)! + share * times.get(high)!;
  }
  if (sizes.length === 1) return times.get(sizes[0]!)!;
  const { interceptUs, slopeUs } = relativeLine([...times].map(([x, us]) => ({ x, us })));
  return interceptUs + slopeUs * tokens;
}
