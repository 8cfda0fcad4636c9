import { layoutOf } from "../../../config/decoder_source.ts";
import {
  idealBubble,
  simulateMs,
  type StageTimes,
  steadyStateBoundMs,
} from "../../../planner/pipeline_law.ts";
import { SCHEDULES } from "../../../schedules/registry.ts";
import type { CaseRepetitions } from "./measure_layouts.ts";
import { limitsOf, type ScheduleCase, type ScheduleWork } from "./schedule_cases.ts";
import { batchSizes, mostInFlight, stageTimes } from "./stage_times.ts";

/** What is predicted of a case. */
export interface Predictions {
  /** Idle share of equal stages without host time, 0 to 1. */
  readonly idealBubble: number;
  /** From stage times of other cases; absent where there are none. */
  readonly held?: {
    /** Wall time of the engine in virtual time. */
    readonly simulatedMs: number;
    /** The same by the pipeline law. */
    readonly steadyStateBoundMs: number;
  };
}

/** A case as far as predictions need it. */
export type PredictedCase = Pick<CaseRepetitions, "case" | "last" | "stages">;

/**
 * Predicts the last repetition of a case from the stage times of others, of which it may be one itself;
 * undefined where requests come over time.
 */
export async function predict(
  one: PredictedCase,
  others: readonly PredictedCase[],
  work: ScheduleWork,
): Promise<Predictions | undefined> {
  const { case: case_, last: { served, traces } } = one;
  if (work.requests.some(({ arrivalMs }) => arrivalMs > 0)) return undefined;
  const limits = limitsOf(case_, work);
  const replicas = traces.map(({ stages }, replica) => {
    const batches = served.batches[replica]!.flatMap(({ batch }) => batch.scheduled);
    const ids = new Set(batches.map(({ requestId }) => requestId));
    return {
      requests: work.requests.filter(({ id }) => ids.has(id)),
      limits,
      stages,
      maxConcurrentBatches: case_.maxConcurrentBatches,
      schedule: SCHEDULES[case_.schedule],
    };
  });
  const bubble = await idealBubble(replicas);
  const times = heldOutTimes(one, others);
  if (!times) return { idealBubble: bubble };
  const simulated = await Promise.all(replicas.map((replica) => simulateMs(replica, times)));
  const laws = traces.map((trace) =>
    steadyStateBoundMs({ sizes: batchSizes(trace), inFlight: mostInFlight(trace) }, times)
  );
  return {
    idealBubble: bubble,
    held: { simulatedMs: Math.max(...simulated), steadyStateBoundMs: Math.max(...laws) },
  };
}

/**
 * Stage times of the other cases of a case's layout, or where it has none of those whose stages are the
 * same, with more or fewer replicas.
 */
function heldOutTimes(
  one: PredictedCase,
  others: readonly PredictedCase[],
): StageTimes | undefined {
  const measured = others.filter((other) =>
    other !== one && other.stages.length > 0 && stagesOf(other.case) === stagesOf(one.case)
  );
  const ofLayout = measured.filter(({ case: { layout } }) => layout === one.case.layout);
  const from = ofLayout.length > 0 ? ofLayout : measured;
  return from.length > 0 ? stageTimes(from.flatMap(({ stages }) => stages)) : undefined;
}

function stagesOf({ layout }: ScheduleCase): string {
  const { tensorParallelSize, pipelineParallelSize } = layoutOf(layout);
  return JSON.stringify([tensorParallelSize, pipelineParallelSize, layout.stage_layers]);
}
