import { SCHEDULES } from "../../../schedules/registry.ts";
import type { BatchResult } from "../../../schedules/engine_core.ts";
import { decompose, type Decomposition } from "./decomposition.ts";
import type { LayoutRun, Repetition } from "../../../runtime/layout_run.ts";
import { type StopCriteria, StoppingRule, type StopReason } from "../../measure/stopping_rule.ts";
import { stopCriteria } from "../suite_run.ts";
import { limitsOf, type OpenWork, type ScheduleCase } from "./schedule_cases.ts";
import type { OpenedRank } from "../../../runtime/rank_message.ts";
import type { Latencies, Served } from "../../../runtime/serve.ts";
import { shuffled } from "../../../statistics/shuffled.ts";
import { engineTimesUs, mostInFlight, type StageSamples, stageSamples } from "./stage_times.ts";
import { type StepTimes, stepTimes } from "../../../runtime/replica_trace.ts";

/** A case under way, and what its repetitions gave so far. */
export class CaseRepetitions {
  readonly case: ScheduleCase;
  readonly steps: StepTimes[] = [];
  /** One a replica and repetition. */
  readonly stages: StageSamples[] = [];
  /** One a repetition. */
  readonly served: (Latencies & Pick<Served<BatchResult>, "wallMs">)[] = [];
  /** One a replica and repetition. */
  readonly spent: Decomposition[] = [];
  /** Engine time between a result and the next launch. */
  readonly engineUs: number[] = [];
  /** Tokens that differ from those of each request alone, one number a repetition. */
  readonly mismatches: number[] = [];
  /** The most batches in flight in a replica. */
  maxInFlight = 0;
  stopReason: StopReason | undefined;
  last!: Repetition;
  readonly #stopper: StoppingRule;

  /** A case that was not served yet. */
  constructor(case_: ScheduleCase, rule: StopCriteria) {
    this.case = case_;
    this.#stopper = new StoppingRule(rule);
  }

  /** The repetition of each step. */
  get rounds(): readonly number[] {
    return this.#stopper.rounds;
  }

  /** Takes in what serving all requests once gave. */
  take(repetition: Repetition, expected: ExpectedTokens): void {
    const { served, traces, wall } = repetition;
    const { wallMs, ttftMs, tpotMs, itlMs, e2eMs } = served;
    this.served.push({ wallMs, ttftMs, tpotMs, itlMs, e2eMs });
    const steps: StepTimes[] = [];
    for (const [replica, trace] of traces.entries()) {
      steps.push(...stepTimes(trace, served.batches[replica]!.map(({ result }) => result)));
      this.stages.push(stageSamples(trace));
      this.spent.push(decompose(trace, wall));
      this.engineUs.push(...engineTimesUs(trace));
      this.maxInFlight = Math.max(this.maxInFlight, mostInFlight(trace));
    }
    const differing = expected.map((ids, request) =>
      ids.filter((id, i) => served.tokenIds[request]![i] !== id).length
    );
    this.mismatches.push(differing.reduce((sum, count) => sum + count, 0));
    this.last = repetition;
    this.steps.push(...steps);
    this.stopReason = this.#stopper.endTurn(steps.map(({ hostUs }) => hostUs), wallMs * 1000);
  }
}

/** Tokens of each request from one rank alone. */
export type ExpectedTokens = readonly (readonly number[])[];

/** A layout under way, with the cases that are measured on it. */
export class LayoutCases implements AsyncDisposable {
  readonly cases: readonly ScheduleCase[];
  /** One a case. */
  readonly measured: readonly CaseRepetitions[];
  /** Bytes that each rank took, by global rank. */
  readonly opened: readonly OpenedRank[];
  /** What ended the layout's measuring. */
  error: unknown;
  readonly #work: OpenWork;
  readonly #run: LayoutRun;
  readonly #expected: ExpectedTokens;

  /** Cases of an open layout that were not served yet. */
  constructor(
    work: OpenWork,
    run: LayoutRun,
    { cases, expected }: {
      readonly cases: readonly ScheduleCase[];
      readonly expected: ExpectedTokens;
    },
  ) {
    this.cases = cases;
    this.opened = run.opened;
    this.#work = work;
    this.#run = run;
    this.#expected = expected;
    this.measured = cases.map((case_) => new CaseRepetitions(case_, stopCriteria(work.config)));
  }

  /** Cases that want more repetitions. */
  get open(): readonly CaseRepetitions[] {
    if (this.error !== undefined) return [];
    return this.measured.filter(({ stopReason }) => stopReason === undefined);
  }

  /** Serves all requests once for each case: compiles and warms up. */
  async warmUp(signal: AbortSignal): Promise<void> {
    for (const case_ of this.cases) {
      if (!signal.aborted) await this.#guard(() => this.#serve(case_));
    }
  }

  /** Serves all requests once more; an error ends the layout's measuring, not that of others. */
  async repeat(one: CaseRepetitions): Promise<void> {
    await this.#guard(async () => one.take(await this.#serve(one.case), this.#expected));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work.session.time.ranks(() => this.#run[Symbol.asyncDispose]());
  }

  async #guard(run: () => Promise<unknown>): Promise<void> {
    if (this.error !== undefined) return;
    try {
      await run();
    } catch (error) {
      this.error = error;
    }
  }

  #serve(c: ScheduleCase): Promise<Repetition> {
    const { config, requests, session } = this.#work;
    return session.time.ranks(() =>
      this.#run.serve(requests, {
        maxConcurrentBatches: c.maxConcurrentBatches,
        way: c.way,
        schedule: SCHEDULES[c.schedule],
        limits: limitsOf(c, this.#work),
        router: config.schedules!.router,
      })
    );
  }
}

/**
 * Serves all requests in turns of all layouts' cases until each one's stop rule holds; `onDone` gets a
 * layout when none of its cases wants more. After an interrupt layouts that are not done are left.
 */
export async function measureLayouts(
  layouts: readonly LayoutCases[],
  { seed, signal, onDone }: {
    readonly seed: number;
    readonly signal: AbortSignal;
    readonly onDone: (layout: LayoutCases) => Promise<void>;
  },
): Promise<void> {
  for (const layout of layouts) await layout.warmUp(signal);
  let waiting = layouts;
  for (let round = 0; !signal.aborted; round++) {
    for (const done of waiting.filter(({ open }) => open.length === 0)) await onDone(done);
    waiting = waiting.filter(({ open }) => open.length > 0);
    if (waiting.length === 0) return;
    const turns = waiting.flatMap((layout) => layout.open.map((one) => ({ layout, one })));
    for (const { layout, one } of shuffled(turns, seed + round)) {
      if (signal.aborted) return;
      await layout.repeat(one);
    }
  }
}
