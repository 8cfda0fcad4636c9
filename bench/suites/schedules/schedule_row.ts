import type { CaseRepetitions } from "./measure_layouts.ts";
import type { Predictions } from "./predictions.ts";
import type { ReferenceCheck } from "./reference_tokens.ts";
import type { Facts } from "../../../records/rows/column.ts";
import type { ScheduleKey, ScheduleRow } from "../../../records/rows/row.ts";
import { commonCells, type RowContext } from "../suite_run.ts";

/** What every row of a layout says. */
export interface LayoutContext extends RowContext {
  /** More ranks than cores, on a software adapter, or than adapters. */
  readonly oversubscribed: boolean;
}

/** What rows say besides what was measured of their case. */
export interface LayoutNumbers {
  readonly weightBytes: number;
  readonly kvCacheBytes: number;
  /** Generated tokens of a repetition. */
  readonly outputTokens: number;
  /** Least time of one repetition's steps at the measured ceilings; one rank only. */
  readonly idealUs: number | undefined;
  readonly predicted: Predictions | undefined;
  readonly reference: ReferenceCheck;
}

/** The row of a case that was not measured. */
export function unmeasuredRow(
  key: ScheduleKey,
  { status, reason }: { readonly status: "wrong" | "failed" | "skipped"; readonly reason: string },
  context: LayoutContext,
): ScheduleRow {
  return { ...baseRow(key, context), status, reason, samples: 0 };
}

/** What was measured of a case's row. */
export function scheduleRow(
  measured: CaseRepetitions,
  key: ScheduleKey,
  { layout, context }: { readonly layout: LayoutNumbers; readonly context: LayoutContext },
): ScheduleRow {
  const { reports } = measured.last;
  const mismatches = measured.mismatches.reduce((sum, count) => sum + count, 0);
  const { reference } = layout;
  const isRight = mismatches === 0 && reference.mismatches === 0;
  const count = (key: "allReduces" | "allGathers" | "sends" | "sentBytes") =>
    reports.reduce((sum, report) => sum + report[key], 0);
  return {
    ...baseRow(key, context),
    status: isRight ? "ok" : "wrong",
    reason: mismatches === 0
      ? reference.reason
      : `${mismatches} tokens differ from those of each request alone on one rank`,
    stop_reason: measured.stopReason,
    max_abs_error: undefined,
    tolerance: 0,
    max_in_flight: measured.maxInFlight,
    bubble_predicted_pct: layout.predicted && 100 * layout.predicted.idealBubble,
    all_reduces: count("allReduces") / Number(key.tensor_parallel_size),
    all_gathers: count("allGathers") / Number(key.tensor_parallel_size),
    sends: count("sends"),
    collective_bytes: count("sentBytes"),
    weight_bytes: layout.weightBytes,
    kv_cache_bytes: layout.kvCacheBytes,
    reference_tokens: reference.tokens,
    reference_mismatches: reference.mismatches,
  };
}

/** Single numbers that cells of the row are computed from. */
export function scheduleFacts({ outputTokens, idealUs, predicted }: LayoutNumbers): Facts {
  return {
    generated_tokens: outputTokens,
    ...(idealUs !== undefined && { ideal_us: idealUs }),
    ...(predicted?.held && {
      simulated_ms: predicted.held.simulatedMs,
      pipeline_law_ms: predicted.held.steadyStateBoundMs,
    }),
  };
}

function baseRow(key: ScheduleKey, context: LayoutContext): ScheduleRow {
  return {
    ...key,
    ...commonCells(context),
    logical_ranks: Number(key.tensor_parallel_size) * Number(key.pipeline_parallel_size) *
      Number(key.data_parallel_size),
    clock: "host",
    oversubscribed: context.oversubscribed,
  } as ScheduleRow;
}
