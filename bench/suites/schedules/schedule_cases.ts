import type { StepWay } from "../../../runtime/rank_message.ts";
import { type ScheduleName, SCHEDULES } from "../../../schedules/registry.ts";
import type { SchedulerLimits } from "../../../schedules/scheduler.ts";
import type { Config } from "../../../config/config.ts";
import type { LayoutSizes } from "../../../config/config_schema.ts";
import type { TimedRequest } from "../../../runtime/serve.ts";
import type { Session } from "../../measure/session.ts";
import { describeRequests } from "./requests.ts";
import type { CacheConfig } from "../../../model/stage_program.ts";
import { label, type ScheduleKey } from "../../../records/rows/row.ts";

/** One schedule on one layout, serving the configuration's requests. */
export interface ScheduleCase {
  readonly schedule: ScheduleName;
  readonly layout: LayoutSizes;
  /** Batches that may be in flight at once. */
  readonly maxConcurrentBatches: number;
  readonly admission: "greedy" | "split";
  readonly way: StepWay;
}

/** What every case of a run serves, and with how much cache. */
export interface ScheduleWork {
  readonly config: Config;
  readonly requests: readonly TimedRequest[];
  readonly cacheConfig: CacheConfig;
}

/** What opening a layout takes. */
export interface OpenWork extends ScheduleWork {
  readonly session: Session;
  /** Ends every wait for a rank or an arrival. */
  readonly signal: AbortSignal;
}

/** Every case of a configuration's schedules suite that a filter leaves. */
export function scheduleCases({ schedules }: Config, filter?: RegExp): readonly ScheduleCase[] {
  if (!schedules) return [];
  const cases = schedules.layouts.flatMap((layout) => {
    const hasGroup = layout.tensor_parallel_size > 1;
    const hasStages = layout.pipeline_parallel_size > 1;
    // What a layout has not got cannot differ in it.
    const heads = hasGroup ? schedules.head_exchange : schedules.head_exchange.slice(0, 1);
    const slices = hasGroup && hasStages ? schedules.sliced_sends : [false];
    return heads.flatMap((head) =>
      slices.flatMap((slicedSends) =>
        schedules.admission.flatMap((admission) =>
          schedules.schedules.flatMap((schedule) =>
            SCHEDULES[schedule].depths(schedules.max_concurrent_batches).map((
              maxConcurrentBatches,
            ) => ({
              schedule,
              layout,
              maxConcurrentBatches,
              admission,
              way: { head, slicedSends },
            }))
          )
        )
      )
    );
  });
  return cases.filter((c) => !filter || filter.test(scheduleLabel(c)));
}

/** A case as `--filter` and progress see it. */
export function scheduleLabel(case_: ScheduleCase): string {
  return label("schedules", caseKey(case_));
}

/** The independent variables of a case, but for what all cases of a configuration share. */
function caseKey({ schedule, layout, maxConcurrentBatches, admission, way }: ScheduleCase) {
  return {
    schedule,
    tensor_parallel_size: layout.tensor_parallel_size,
    pipeline_parallel_size: layout.pipeline_parallel_size,
    data_parallel_size: layout.data_parallel_size,
    max_concurrent_batches: maxConcurrentBatches,
    admission,
    head_exchange: way.head,
    sliced_sends: way.slicedSends,
    layout_order: layout.order,
    stage_layers: layout.stage_layers?.join(" ") ?? "even",
  };
}

/** The independent variables of a case's row. */
export function scheduleKey(case_: ScheduleCase, { config, requests }: ScheduleWork): ScheduleKey {
  const { max_num_batched_tokens, max_num_seqs, router } = config.schedules!;
  return {
    suite: "schedules",
    model: config.model.name,
    dtype: config.dtype,
    ...caseKey(case_),
    ...describeRequests(config, requests),
    max_num_batched_tokens,
    max_num_seqs,
    router,
    threads_per_rank: String(config.schedules!.threads_per_rank ?? "shared out"),
  };
}

/** The scheduler's limits of a case: `split` gives each batch in flight, and each stage, an equal part. */
export function limitsOf(case_: ScheduleCase, { config, requests }: ScheduleWork): SchedulerLimits {
  const { max_num_batched_tokens, max_num_seqs } = config.schedules!;
  const limits = { maxNumBatchedTokens: max_num_batched_tokens, maxNumSeqs: max_num_seqs };
  if (case_.admission === "greedy") return limits;
  const { pipeline_parallel_size, data_parallel_size } = case_.layout;
  const running = Math.min(max_num_seqs, Math.ceil(requests.length / data_parallel_size));
  const parts = Math.max(case_.maxConcurrentBatches, pipeline_parallel_size);
  return { ...limits, maxSeqsPerBatch: Math.ceil(running / parts) };
}
