/** What ranks did when, as they measured it, and what the steps of a replica took. */

import type { DecoderTimes } from "./generation.ts";
import type { LogitsGather } from "./tensor_parallel_group.ts";

/** A while in ms. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** What a rank does for a while: computing, or a collective with its waiting and uploading. */
export type SpanKind = "compute" | "all_reduce" | LogitsGather | "send" | "receive";

/** A while of a rank's step, in ms of the rank's own clock. */
export interface Span extends Interval {
  readonly kind: SpanKind;
  /** Places in the stage's program of its first and last operation; compute only. */
  readonly ops?: readonly [number, number];
  /** Of it on the adapter's clock, in us; compute only, absent where the adapter has none. */
  gpuUs?: number;
}

/** One step of one rank, from having its input to having handed on its output; times in ms since 1970. */
export interface StepRecord extends Interval {
  readonly step: number;
  readonly tokens: number;
  readonly spans: readonly Span[];
  readonly submitUs: number;
  readonly waitUs: number;
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

/** One step of a replica as a whole: the slowest rank of each stage, one stage after another. */
export interface StepTimes extends DecoderTimes {
  readonly submitUs: number;
  readonly waitUs: number;
}

/** What the steps of results took, from what the ranks noted. */
export function stepTimes(
  { stages, ranks }: Pick<ReplicaTrace, "stages" | "ranks">,
  results: readonly (Interval & { readonly step: number | undefined })[],
): readonly StepTimes[] {
  const byStep = new Map<number, Record<"gpu" | "submit" | "wait", number[]>>();
  const none = () => new Array<number>(stages).fill(0);
  for (const { stage, steps } of ranks) {
    for (const { step, spans, submitUs, waitUs } of steps) {
      const slowest = byStep.get(step) ?? { gpu: none(), submit: none(), wait: none() };
      byStep.set(step, slowest);
      const computing = spans.filter(({ kind }) => kind === "compute");
      const gpuUs = computing.reduce((sum, span) => sum + (span.gpuUs ?? NaN), 0);
      slowest.gpu[stage] = Math.max(slowest.gpu[stage]!, gpuUs);
      slowest.submit[stage] = Math.max(slowest.submit[stage]!, submitUs);
      slowest.wait[stage] = Math.max(slowest.wait[stage]!, waitUs);
    }
  }
  const total = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);
  return results.map(({ step, start, end }) => {
    const { gpu, submit, wait } = byStep.get(step!)!;
    const gpuUs = total(gpu);
    return {
      hostUs: (end - start) * 1000,
      gpuUs: Number.isNaN(gpuUs) ? undefined : gpuUs,
      submitUs: total(submit),
      waitUs: total(wait),
    };
  });
}
