import {
  type CacheConfig,
  stageCosts,
  stageProgram,
  wholeDecoder,
} from "../../../model/stage_program.ts";
import { worldSize } from "../../../parallel/layout.ts";
import { tokenBatch } from "../../../runtime/token_batch.ts";
import { ceilingUs } from "../../measure/ceilings.ts";
import type { Config } from "../../../config/config.ts";
import {
  deviceMemoryBytes,
  layoutMemoryProblem,
  type LayoutOptions,
  LayoutRun,
  type Repetition,
} from "../../../runtime/layout_run.ts";
import { decoderSource, layoutOf } from "../../../config/decoder_source.ts";
import {
  type CaseRepetitions,
  type ExpectedTokens,
  measureLayout,
  predict,
} from "./measure_layout.ts";
import { sizedRanks } from "../../../model/replicas.ts";
import { requestsOf } from "./requests.ts";
import { deriveRows, type SampledRow } from "../../../records/rows/derive_rows.ts";
import { rowKey, type ScheduleRow } from "../../../records/rows/row.ts";
import {
  type ScheduleCase,
  scheduleCases,
  scheduleKey,
  scheduleLabel,
  type ScheduleWork,
} from "./schedule_cases.ts";
import type { ScheduleFiles } from "./schedule_files.ts";
import { scheduleRow, unmeasuredRow } from "./schedule_row.ts";
import type { TimedRequest } from "../../../runtime/serve.ts";
import type { Session } from "../../measure/session.ts";
import type { SuiteRun } from "../suite_run.ts";

/** A run of the schedules suite. */
export interface SchedulesRun extends SuiteRun<ScheduleRow> {
  /** What is written of ranks and timelines. */
  readonly files: ScheduleFiles;
}

/** Measures the schedules suite of a configuration, a layout at a time; rows come as it is finished. */
export async function runSchedules(
  config: Config,
  session: Session,
  run: SchedulesRun,
): Promise<void> {
  const all = scheduleCases(config, run.filter);
  const layouts = Map.groupBy(all, ({ layout }) => JSON.stringify(layout));
  const requests = requestsOf(config);
  const cacheConfig = cacheConfigOf(config, requests, session);
  const work = { config, requests, cacheConfig, session };
  let alone: Promise<ExpectedTokens> | undefined;
  const expected = () => alone ??= tokensAlone(work);
  let done = 0;
  for (const cases of layouts.values()) {
    if (run.signal.aborted) return;
    const open = cases.filter((c) => !run.finished.has(rowKey("schedules", scheduleKey(c, work))));
    await runLayout(open, { ...work, run, expected });
    if (run.signal.aborted) return;
    done += cases.length;
    run.onProgress({ done, total: all.length, label: scheduleLabel(cases.at(-1)!) });
  }
}

interface OpenWork extends ScheduleWork {
  readonly session: Session;
}

interface Suite extends OpenWork {
  readonly run: SchedulesRun;
  readonly expected: () => Promise<ExpectedTokens>;
}

async function runLayout(cases: readonly ScheduleCase[], suite: Suite): Promise<void> {
  const { config, requests, session, run, cacheConfig } = suite;
  const [first] = cases;
  if (!first) return;
  const sizes = first.layout;
  const layout = layoutOf(sizes);
  const ranks = worldSize(layout);
  const { device } = session;
  const unmeasured = async (status: "failed" | "skipped", reason: string) => {
    const context = await rowContext(suite, ranks);
    const rows = cases.map((case_) => ({
      row: unmeasuredRow(scheduleKey(case_, suite), { status, reason }, context),
      series: {},
    }));
    for (const { row } of deriveRows("schedules", rows)) run.onRow(row, {});
  };
  const problem = refusal(suite, sizes);
  if (problem !== undefined) return await unmeasured("skipped", problem);
  const maxConcurrentBatches = Math.max(...cases.map((c) => c.maxConcurrentBatches));
  try {
    const expected = await suite.expected();
    const how = { layout, layers: sizes.stage_layers, maxConcurrentBatches };
    await using opened = await openLayout(suite, how);
    await session.tuning.save();
    const allocated = opened.opened;
    const sized = sizedRanks(config.model, layout, { ...cacheConfig, layers: sizes.stage_layers });
    run.files.addRanks(sized.map((rank) => ({ ...rank, allocated: allocated[rank.rank] })));
    const { signal } = run;
    const measured = await measureLayout(suite, { run: opened, cases, expected, signal });
    if (!measured) return;
    const sum = (key: "weightBytes" | "kvCacheBytes") =>
      allocated.reduce((total, rank) => total + rank[key], 0);
    const rows: SampledRow<ScheduleRow>[] = [];
    for (const one of measured) {
      const numbers = {
        weightBytes: sum("weightBytes"),
        kvCacheBytes: sum("kvCacheBytes"),
        outputTokens: requests.reduce((total, { maxTokens }) => total + maxTokens, 0),
        idealUs: ranks === 1 ? idealUs(one.last, suite) : undefined,
        predicted: await predict(one, suite),
      };
      const context = await rowContext(suite, ranks);
      const row = scheduleRow(one, scheduleKey(one.case, suite), { layout: numbers, context });
      rows.push({ row, series: seriesOf(one) });
    }
    const derived = deriveRows("schedules", rows, run.finished);
    for (const [i, { row, series }] of derived.entries()) {
      run.onRow(row, series);
      run.files.addTrace(scheduleLabel(measured[i]!.case), measured[i]!.last);
    }
  } catch (error) {
    await unmeasured("failed", device.errors.recover(error));
  }
}

/** Opens a layout with the variants that are fastest on the session's device. */
function openLayout(
  { config, cacheConfig, session: { device, tuner } }: OpenWork,
  how: Pick<LayoutOptions, "layout" | "layers" | "maxConcurrentBatches">,
): Promise<LayoutRun> {
  return LayoutRun.open(decoderSource(config), {
    ...how,
    cacheConfig,
    choose: (operation) => tuner.best(operation),
    memoryBytes: deviceMemoryBytes(device),
  });
}

/** What each request alone gives on one rank. */
async function tokensAlone(work: OpenWork): Promise<ExpectedTokens> {
  const one = { tensorParallelSize: 1, pipelineParallelSize: 1, dataParallelSize: 1 };
  const layout = { ...one, order: "vllm" } as const;
  await using run = await openLayout(work, { layout, maxConcurrentBatches: 1 });
  const { maxNumBatchedTokens } = work.cacheConfig;
  const how = {
    maxConcurrentBatches: 1,
    way: { head: "all_gather", slicedSends: false },
    limits: { maxNumBatchedTokens, maxNumSeqs: 1 },
  } as const;
  const tokens: (readonly number[])[] = [];
  for (const request of work.requests) {
    const { served } = await run.serve([{ ...request, arrivalMs: 0 }], how);
    tokens.push(served.tokenIds[0]!);
  }
  return tokens;
}

function cacheConfigOf(
  { dtype, schedules }: Config,
  requests: readonly TimedRequest[],
  { device }: Session,
): CacheConfig {
  const { max_num_batched_tokens, max_num_seqs } = schedules!;
  const prompts = requests.map(({ promptTokenIds }) => promptTokenIds.length);
  const total = prompts.reduce((sum, length) => sum + length, 0);
  return {
    dtype,
    maxNumSeqs: Math.min(max_num_seqs, requests.length),
    maxModelLen: Math.max(...requests.map((r) => r.promptTokenIds.length + r.maxTokens)),
    maxNumBatchedTokens: Math.min(max_num_batched_tokens, total),
    maxStorageBufferBindingSize: device.maxStorageBufferBindingSize,
  };
}

/** Why a layout cannot be run here. */
function refusal(
  { config, cacheConfig, session: { device } }: Suite,
  sizes: ScheduleCase["layout"],
): string | undefined {
  if (config.launcher.kind === "mpi") return "ranks under MPI cannot be run by this version";
  if (cacheConfig.maxModelLen > config.model.maxPositions) {
    return `a context of ${cacheConfig.maxModelLen} is beyond the model's ${config.model.maxPositions} positions`;
  }
  return layoutMemoryProblem(config.model, {
    layout: layoutOf(sizes),
    layers: sizes.stage_layers,
    cacheConfig,
    memoryBytes: deviceMemoryBytes(device),
  });
}

async function rowContext({ session, run }: Suite, ranks: number) {
  const { device } = session;
  const isSoftware = device.identity.type === "software";
  return {
    device,
    runId: run.runId,
    canaryPct: await session.canary.driftPct(),
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

function seriesOf({ steps, rounds, served, engineUs }: CaseRepetitions) {
  return {
    host_us: steps.map((step) => step.hostUs),
    gpu_us: steps.flatMap(({ gpuUs }) => gpuUs === undefined ? [] : [gpuUs]),
    submit_us: steps.map((step) => step.submitUs),
    wait_us: steps.map((step) => step.waitUs),
    wall_ms: served.map(({ wallMs }) => wallMs),
    ttft_ms: served.flatMap(({ ttftMs }) => ttftMs),
    tpot_ms: served.flatMap(({ tpotMs }) => tpotMs),
    engine_us: engineUs,
    round: rounds,
  };
}
