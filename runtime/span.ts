import type { LogitsGather } from "./tensor_parallel_group.ts";

/** What a rank does for a while: computing, or a collective with its waiting and uploading. */
export type SpanKind = "compute" | "all_reduce" | LogitsGather | "send" | "receive";

/** A while of a rank's step, in ms of the rank's own clock. */
export interface Span {
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
  /** Places in the stage's program of its first and last operation; compute only. */
  readonly ops?: readonly [number, number];
  /** Of it on the adapter's clock, in us; compute only, absent where the adapter has none. */
  gpuUs?: number;
}
