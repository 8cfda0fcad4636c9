import { SCHEDULES } from "../../../schedules/registry.ts";
import type { RankReport } from "../../../runtime/rank_message.ts";
import type { BatchResult } from "../../../schedules/engine_core.ts";
import { addUp, decompose, type Decomposition } from "./decomposition.ts";
import type { LayoutRun, Repetition } from "../../../runtime/layout_run.ts";
import { StoppingRule, type StopReason } from "../../measure/timer.ts";
import { stopCriteria } from "../suite_run.ts";
import { limitsOf, type ScheduleCase, type ScheduleWork } from "./schedule_cases.ts";
import type { Served, TimedRequest } from "../../../runtime/serve.ts";
import { shuffled } from "../../../statistics/shuffled.ts";
import { engineTimesUs, mostInFlight, stageTimes } from "./stage_times.ts";
import { idealBubble, simulateMs, steadyStateBoundMs } from "../../../planner/pipeline_law.ts";
import { type StepTimes, stepTimes } from "../../../runtime/replica_trace.ts";
import { summarise } from "../../../statistics/summary.ts";

/** What measuring a case gave. */
export interface MeasuredCase {
  readonly case: ScheduleCase;
  readonly stopReason: StopReason;
  readonly steps: readonly StepTimes[];
  /** One a repetition. */
  readonly served: readonly Pick<Served<BatchResult>, "wallMs" | "ttftMs" | "tpotMs">[];
  /** Of all repetitions. */
  readonly spent: Decomposition;
  /** Tokens that differ from those of each request alone, of all repetitions. */
  readonly mismatches: number;
  readonly counts: Counts;
  /** The most batches in flight in a replica. */
  readonly maxInFlight: number;
  /** Engine time between a result and the next launch. */
  readonly engineUs: readonly number[];
  /** Idle share of equal stages without host time, 0 to 1; undefined where requests come over time. */
  readonly idealBubble: number | undefined;
  /** Wall time of the engine in virtual time with this case's own stage times. */
  readonly simulatedMs: number | undefined;
  /** The same by the pipeline law. */
  readonly steadyStateBoundMs: number | undefined;
  /** The last repetition, for timelines. */
  readonly last: Repetition;
}

/** What ranks of all replicas did together in one repetition. */
export interface Counts {
  readonly allReduces: number;
  readonly allGathers: number;
  readonly sends: number;
  readonly sentBytes: number;
}

/** What is measured on a layout and against what. */
export interface MeasureLayout {
  readonly run: LayoutRun;
  readonly cases: readonly ScheduleCase[];
  /** Tokens of each request from one rank alone. */
  readonly expected: readonly (readonly number[])[];
  readonly signal: AbortSignal;
}

/** Repetitions that are made at least, in place of the configured number of samples. */
const MIN_REPETITIONS = 3;

/** A case that is under way. */
interface CaseUnderWay {
  readonly case: ScheduleCase;
  readonly served: Pick<Served<BatchResult>, "wallMs" | "ttftMs" | "tpotMs">[];
  readonly steps: StepTimes[];
  readonly spent: Decomposition[];
  readonly engineUs: number[];
  readonly stopper: StoppingRule;
  mismatches: number;
  maxInFlight: number;
  reason: StopReason | undefined;
  last: Repetition | undefined;
}

/** Serves all requests in turns of the cases until each one's stop rule holds; undefined after an interrupt. */
export async function measureLayout(
  work: ScheduleWork,
  { run, cases, expected, signal }: MeasureLayout,
): Promise<readonly MeasuredCase[] | undefined> {
  const { config, requests } = work;
  const router = config.schedules!.router;
  const serve = (c: ScheduleCase) =>
    run.serve(requests, {
      maxConcurrentBatches: c.maxConcurrentBatches,
      way: c.way,
      schedule: SCHEDULES[c.schedule],
      limits: limitsOf(c, work),
      router,
    });
  for (const case_ of cases) {
    if (signal.aborted) return undefined;
    await serve(case_); // compiles and warms up
  }
  const under: CaseUnderWay[] = cases.map((case_) => ({
    case: case_,
    served: [],
    steps: [],
    spent: [],
    engineUs: [],
    stopper: new StoppingRule({ ...stopCriteria(config), minSamples: MIN_REPETITIONS }),
    mismatches: 0,
    maxInFlight: 0,
    reason: undefined,
    last: undefined,
  }));
  for (let round = 0;; round++) {
    const open = under.filter((p) => p.reason === undefined);
    if (open.length === 0) break;
    for (const progress of shuffled(open, config.seed + round)) {
      if (signal.aborted) return undefined;
      take(progress, await serve(progress.case), expected);
    }
  }
  return await Promise.all(under.map((progress) => finish(progress, work)));
}

function take(
  progress: CaseUnderWay,
  repetition: Repetition,
  expected: readonly (readonly number[])[],
): void {
  const { served, traces, wall } = repetition;
  const { wallMs, ttftMs, tpotMs } = served;
  progress.served.push({ wallMs, ttftMs, tpotMs });
  for (const [replica, trace] of traces.entries()) {
    const results = served.batches[replica]!.map(({ result }) => result);
    progress.steps.push(...stepTimes(trace, results));
  }
  progress.spent.push(...traces.map((trace) => decompose(trace, wall)));
  progress.engineUs.push(...traces.flatMap(engineTimesUs));
  progress.mismatches += tokenMismatches(served.tokenIds, expected);
  progress.maxInFlight = Math.max(progress.maxInFlight, ...traces.map(mostInFlight));
  progress.last = repetition;
  // Steps of prefill and of decoding differ by nature: what must come to rest is the whole.
  const times = progress.served.map((one) => one.wallMs * 1000);
  const noise = () => summarise(times).noisePct;
  progress.reason ??= progress.stopper.next(times, { noise, spentUs: wallMs * 1000 });
}

async function finish(progress: CaseUnderWay, work: ScheduleWork): Promise<MeasuredCase> {
  const { requests } = work;
  const { case: case_, served, steps, engineUs, mismatches, maxInFlight } = progress;
  const last = progress.last!;
  const { traces, reports } = last;
  const limits = limitsOf(case_, work);
  const replicas = traces.map(({ stages }, replica) => ({
    requests: servedBy(last, replica, requests),
    limits,
    stages,
    maxConcurrentBatches: case_.maxConcurrentBatches,
    schedule: SCHEDULES[case_.schedule],
  }));
  const isAtOnce = requests.every(({ arrivalMs }) => arrivalMs === 0);
  const times = traces.map((trace) => stageTimes([trace]));
  const simulated = await Promise.all(replicas.map((r, i) => simulateMs(r, times[i]!)));
  const laws = traces.map((trace, i) => steadyStateBoundMs(times[i]!, mostInFlight(trace)));
  const sum = (of: (report: RankReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const tensorParallelSize = traces[0]!.ranks.length / traces[0]!.stages;
  return {
    case: case_,
    stopReason: progress.reason!,
    steps,
    served,
    spent: addUp(progress.spent),
    mismatches,
    counts: {
      allReduces: sum(({ allReduces }) => allReduces) / tensorParallelSize,
      allGathers: sum(({ allGathers }) => allGathers) / tensorParallelSize,
      sends: sum(({ sends }) => sends),
      sentBytes: sum(({ sentBytes }) => sentBytes),
    },
    maxInFlight,
    engineUs,
    idealBubble: isAtOnce ? await idealBubble(replicas) : undefined,
    simulatedMs: isAtOnce ? Math.max(...simulated) : undefined,
    steadyStateBoundMs: isAtOnce ? Math.max(...laws) : undefined,
    last,
  };
}

/** The requests that a replica served, in the order in which they came. */
function servedBy(
  { served }: Repetition,
  replica: number,
  requests: readonly TimedRequest[],
): readonly TimedRequest[] {
  const ids = new Set(
    served.batches[replica]!.flatMap(({ batch }) => batch.scheduled.map((part) => part.requestId)),
  );
  return requests.filter(({ id }) => ids.has(id));
}

function tokenMismatches(
  seen: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): number {
  return expected.reduce(
    (sum, ids, request) => sum + ids.filter((id, i) => seen[request]![i] !== id).length,
    0,
  );
}
