/** What ranks did when, as they measured it. */

import type { StepRecord } from "./rank_message.ts";

/** A while in ms. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** What one rank did; times in ms since 1970. */
export interface RankTrace {
  /** Its number in the layout. */
  readonly globalRank: number;
  readonly stage: number;
  readonly tpRank: number;
  readonly steps: readonly StepRecord[];
}

/** What the ranks of a replica did while it served requests. */
export interface ReplicaTrace {
  readonly stages: number;
  /** Each batch from being submitted to its result, oldest first. */
  readonly inFlight: readonly Interval[];
  readonly ranks: readonly RankTrace[];
}
