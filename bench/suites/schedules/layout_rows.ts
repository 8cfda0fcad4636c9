import { stageCosts, stageProgram, wholeDecoder } from "../../../model/stage_program.ts";
import { worldSize } from "../../../parallel/layout.ts";
import { tokenBatch } from "../../../runtime/token_batch.ts";
import { ceilingUs } from "../../measure/ceilings.ts";
import type { Repetition } from "../../../runtime/layout_run.ts";
import { layoutOf } from "../../../config/decoder_source.ts";
import type { CaseRepetitions, ExpectedTokens, LayoutCases } from "./measure_layouts.ts";
import { predict } from "./predictions.ts";
import type { ReferenceCheck } from "./reference_tokens.ts";
import { deriveRows, type SampledRow } from "../../../records/rows/derive_rows.ts";
import type { ScheduleRow } from "../../../records/rows/row.ts";
import { type OpenWork, type ScheduleCase, scheduleKey, scheduleLabel } from "./schedule_cases.ts";
import type { ScheduleFiles } from "./schedule_files.ts";
import { scheduleFacts, scheduleRow, unmeasuredRow } from "./schedule_row.ts";
import { LogitsError } from "../../../schedules/logits_error.ts";
import { failureReason, type SuiteRun } from "../suite_run.ts";

/** A run of the schedules suite. */
export interface SchedulesRun extends SuiteRun<ScheduleRow> {
  /** What is written of ranks and timelines. */
  readonly files: ScheduleFiles;
}

/** What measuring and writing a layout takes. */
export interface Suite extends OpenWork {
  readonly run: SchedulesRun;
  readonly expected: () => Promise<ExpectedTokens>;
  /** How the tokens expected compare with a decoder in float64. */
  readonly reference: () => Promise<ReferenceCheck>;
}

/** Writes the rows of a layout, one of several, whose cases are all done, or that failed. */
export async function writeRows(
  layout: LayoutCases,
  among: readonly LayoutCases[],
  suite: Suite,
): Promise<void> {
  const { requests, run } = suite;
  if (layout.error !== undefined) {
    return await writeFailed(layout.cases, suite, layout.error);
  }
  const ranks = worldSize(layoutOf(layout.cases[0]!.layout));
  const sum = (key: "weightBytes" | "kvCacheBytes") =>
    layout.opened.reduce((total, rank) => total + rank[key], 0);
  const rows: SampledRow<ScheduleRow>[] = [];
  const others = among.flatMap(({ measured }) => measured);
  for (const one of layout.measured) {
    const numbers = {
      weightBytes: sum("weightBytes"),
      kvCacheBytes: sum("kvCacheBytes"),
      outputTokens: requests.reduce((total, { maxTokens }) => total + maxTokens, 0),
      idealUs: ranks === 1 ? idealUs(one.last, suite) : undefined,
      predicted: await predict(one, others, suite),
      reference: await suite.reference(),
    };
    const context = await rowContext(suite, ranks);
    const row = scheduleRow(one, scheduleKey(one.case, suite), { layout: numbers, context });
    const facts = { ...context.canary, ...scheduleFacts(numbers) };
    rows.push({ row, series: seriesOf(one), facts });
  }
  const derived = deriveRows("schedules", rows, run.finished);
  for (const [i, one] of derived.entries()) {
    // The row comes last: one that is there is not measured again, and nor is what lies beside it.
    run.files.addTrace(scheduleLabel(layout.cases[i]!), layout.measured[i]!.last);
    run.onRow(one);
  }
}

/** Writes rows of a layout that an error ended: wrong ones where its logits are, else failed ones. */
export async function writeFailed(
  cases: readonly ScheduleCase[],
  suite: Suite,
  error: unknown,
): Promise<void> {
  const why = error instanceof LogitsError
    ? { status: "wrong", reason: error.message } as const
    : { status: "failed", reason: failureReason(suite.session.device, error) } as const;
  await writeUnmeasured(cases, suite, why);
}

/** Writes a row for each case of a layout that was not measured, with the reason. */
export async function writeUnmeasured(
  cases: readonly ScheduleCase[],
  suite: Suite,
  why: { readonly status: "wrong" | "failed" | "skipped"; readonly reason: string },
): Promise<void> {
  const context = await rowContext(suite, worldSize(layoutOf(cases[0]!.layout)));
  const rows = cases.map((case_) => ({
    row: unmeasuredRow(scheduleKey(case_, suite), why, context),
    series: {},
  }));
  for (const one of deriveRows("schedules", rows)) suite.run.onRow(one);
}

async function rowContext({ session, run }: Suite, ranks: number) {
  const { device } = session;
  const isSoftware = device.identity.type === "software";
  return {
    device,
    runId: run.runId,
    canary: await session.canary.read(),
    oversubscribed: ranks > (isSoftware ? navigator.hardwareConcurrency : 1),
  };
}

/** The least time of a repetition's batches on one rank: each operation at the slower of the two ceilings. */
function idealUs({ served }: Repetition, { config, cacheConfig, session }: Suite): number {
  const stage = wholeDecoder(config.model, cacheConfig);
  return served.batches.flat().reduce((sum, { batch: scheduled }) => {
    const batch = tokenBatch(scheduled);
    const size = { tokens: batch.tokenIds.length, logitsRows: batch.logitsIndices.length };
    const costs = stageCosts(stageProgram(stage, size, batch));
    return sum + costs.reduce((total, cost) => total + ceilingUs(cost, session.ceilings), 0);
  }, 0);
}

function seriesOf({ steps, rounds, served, spent, mismatches, engineUs }: CaseRepetitions) {
  return {
    host_us: steps.map((step) => step.hostUs),
    gpu_us: steps.flatMap(({ gpuUs }) => gpuUs === undefined ? [] : [gpuUs]),
    submit_us: steps.map((step) => step.submitUs),
    wait_us: steps.map((step) => step.waitUs),
    wall_ms: served.map(({ wallMs }) => wallMs),
    ttft_ms: served.flatMap(({ ttftMs }) => ttftMs),
    tpot_ms: served.flatMap(({ tpotMs }) => tpotMs),
    itl_ms: served.flatMap(({ itlMs }) => itlMs),
    e2e_ms: served.flatMap(({ e2eMs }) => e2eMs),
    engine_us: engineUs,
    mismatched_tokens: mismatches,
    busy_ms: spent.map(({ busy }) => busy),
    fill_drain_ms: spent.map(({ fillDrain }) => fillDrain),
    imbalance_ms: spent.map(({ imbalance }) => imbalance),
    transfer_ms: spent.map(({ transfer }) => transfer),
    host_gap_ms: spent.map(({ hostGap }) => hostGap),
    idle_ms: spent.map(({ idle }) => idle),
    ranks_wall_ms: spent.map(({ ranksTimesWall }) => ranksTimesWall),
    round: rounds,
  };
}
