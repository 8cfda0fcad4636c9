/** What ranks in Workers are told, and what they answer. */

import type { CommunicatorState } from "../collectives/transports/communicator_state.ts";
import type { P2PChannelState } from "../collectives/transports/p2p_channel.ts";
import type { WatchdogState } from "../collectives/transports/watchdog.ts";
import type { AdapterOptions } from "../device/adapter.ts";
import type { ReadBackMode } from "../device/read_back.ts";
import type { WeightsOrigin } from "../model/open_weights.ts";
import type { BatchSize, Stage } from "../model/stage_program.ts";
import type { StepRecord } from "./replica_trace.ts";
import type { LogitsGather } from "./tensor_parallel_group.ts";
import type { TokenBatch } from "./token_batch.ts";
import type { TunedVariants } from "./tuned_variants.ts";

/**
 * Steps done, then 1 + first and last operation (0 between steps), the batch's tokens and rows of logits,
 * the place in {@linkcode OPENING}, and a count of what is loaded and made ready.
 */
export type RankPosition = Int32Array<SharedArrayBuffer>;

/** What a rank does while it joins, in words; nothing before and afterwards. */
export const OPENING = ["", "opening its device", "loading its weights"] as const;

/** What a rank needs to begin. */
export interface RankSetup {
  /** Its rank in the layout. */
  readonly globalRank: number;
  readonly stage: Stage;
  readonly weights: WeightsOrigin;
  readonly variants: TunedVariants;
  readonly adapter: AdapterOptions;
  /** The tensor parallel group, where it has more ranks than this. */
  readonly group: CommunicatorState | undefined;
  /** From the stage before, and to the one after, where there are. */
  readonly previous: P2PChannelState | undefined;
  readonly next: P2PChannelState | undefined;
  readonly watchdog: WatchdogState;
  /** Where it says what it does. */
  readonly position: RankPosition;
}

/** How ranks go about a step. */
export interface StepWay {
  readonly head: LogitsGather;
  /** Whether each tensor parallel rank sends its slice of the hidden states only. */
  readonly slicedSends: boolean;
}

/** What a rank is told. */
export type RankMessage =
  | { readonly kind: "join"; readonly setup: RankSetup }
  | { readonly kind: "prepare"; readonly sizes: readonly BatchSize[] }
  | {
    readonly kind: "step";
    readonly step: number;
    readonly batch: TokenBatch;
    readonly way: StepWay;
  }
  | { readonly kind: "logits"; readonly rows: number }
  | { readonly kind: "report" }
  | { readonly kind: "leave" };

/** What a rank opened: the answer to `join`. */
export interface OpenedRank {
  readonly adapter: string;
  readonly readBack: ReadBackMode;
  readonly weightBytes: number;
  readonly kvCacheBytes: number;
}

/** What a rank did since it was last asked: the answer to `report`. */
export interface RankReport {
  readonly steps: readonly StepRecord[];
  readonly allReduces: number;
  /** Exchanges of logits or of what stands for them. */
  readonly allGathers: number;
  readonly sends: number;
  /** Bytes that it sent to others, by whichever way. */
  readonly sentBytes: number;
}
