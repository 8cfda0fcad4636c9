import { addUp } from "./decomposition.ts";
import type { CaseRepetitions, Predictions } from "./measure_layouts.ts";
import type { ScheduleKey, ScheduleRow } from "../../../records/rows/row.ts";
import { median } from "../../../statistics/summary.ts";
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
}

/** The row of a case that was not measured. */
export function unmeasuredRow(
  key: ScheduleKey,
  { status, reason }: { readonly status: "failed" | "skipped"; readonly reason: string },
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
  const { served, mismatches, last: { reports } } = measured;
  const spent = addUp(measured.spent);
  const isRight = mismatches === 0;
  const perS = (ms: number | undefined) =>
    isRight && ms !== undefined ? layout.outputTokens / ms * 1000 : undefined;
  const pct = (ms: number) => 100 * ms / spent.ranksTimesWall;
  const { idealUs, predicted } = layout;
  const count = (key: "allReduces" | "allGathers" | "sends" | "sentBytes") =>
    reports.reduce((sum, report) => sum + report[key], 0);
  return {
    ...baseRow(key, context),
    status: isRight ? "ok" : "wrong",
    reason: isRight
      ? undefined
      : `${mismatches} tokens differ from those of each request alone on one rank`,
    stop_reason: measured.stopReason,
    wrong_elements: mismatches,
    max_abs_error: undefined,
    tolerance: 0,
    output_tokens_per_s: perS(median(served.map(({ wallMs }) => wallMs))),
    max_in_flight: measured.maxInFlight,
    busy_pct: pct(spent.busy),
    fill_drain_pct: pct(spent.fillDrain),
    imbalance_pct: pct(spent.imbalance),
    transfer_pct: pct(spent.transfer),
    host_gap_pct: pct(spent.hostGap),
    bubble_pct: pct(spent.idle),
    bubble_predicted_pct: predicted && 100 * predicted.idealBubble,
    all_reduces: count("allReduces") / Number(key.tensor_parallel_size),
    all_gathers: count("allGathers") / Number(key.tensor_parallel_size),
    sends: count("sends"),
    collective_bytes: count("sentBytes"),
    token_mismatches: mismatches,
    ceiling_pct: isRight && idealUs !== undefined
      ? 100 * idealUs * served.length / (1000 * spent.busy)
      : undefined,
    weight_bytes: layout.weightBytes,
    kv_cache_bytes: layout.kvCacheBytes,
    simulated_output_tokens_per_s: perS(predicted?.simulatedMs),
    pipeline_law_tokens_per_s: perS(predicted?.steadyStateBoundMs),
    closure_pct: pct(
      spent.busy + spent.fillDrain + spent.imbalance + spent.transfer + spent.hostGap,
    ),
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
