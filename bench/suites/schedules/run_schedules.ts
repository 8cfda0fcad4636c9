import type { CacheConfig } from "../../../model/stage_program.ts";
import { worldSize } from "../../../parallel/layout.ts";
import type { Config } from "../../../config/config.ts";
import {
  deviceMemoryBytes,
  layoutBytes,
  layoutMemoryProblem,
  type LayoutOptions,
  LayoutRun,
} from "../../../runtime/layout_run.ts";
import { decoderSource, layoutOf } from "../../../config/decoder_source.ts";
import { type ExpectedTokens, LayoutCases, measureLayouts } from "./measure_layouts.ts";
import {
  type SchedulesRun,
  type Suite,
  writeFailed,
  writeRows,
  writeUnmeasured,
} from "./layout_rows.ts";
import { checkTokens, type ReferenceCheck } from "./reference_tokens.ts";
import { MEASURED_BEFORE } from "../suite_run.ts";
import { sizedRanks } from "../../../model/replicas.ts";
import { requestsOf } from "./requests.ts";
import { rowKey } from "../../../records/rows/row.ts";
import {
  type OpenWork,
  type ScheduleCase,
  scheduleCases,
  scheduleKey,
  scheduleLabel,
  type ScheduleWork,
} from "./schedule_cases.ts";
import type { TimedRequest } from "../../../runtime/serve.ts";
import type { Session } from "../../measure/session.ts";

/** Layouts are open together as long as they have no more ranks, on the host's cores and in its memory. */
const RANKS_TOGETHER = 16;
/** And take no more memory than this, which every adapter has. */
const BYTES_TOGETHER = 2 ** 31;

/**
 * Measures the schedules suite of a configuration. Cases of several layouts take turns, as many as may be
 * open together; rows come as a layout is finished.
 */
export async function runSchedules(
  config: Config,
  session: Session,
  run: SchedulesRun,
): Promise<void> {
  const all = scheduleCases(config, run.filter);
  const layouts = Map.groupBy(all, ({ layout }) => JSON.stringify(layout));
  const requests = requestsOf(config);
  const cacheConfig = cacheConfigOf(config, requests, session);
  const work = { config, requests, cacheConfig, session, signal: run.signal };
  let alone: Promise<ExpectedTokens> | undefined;
  const expected = () =>
    alone ??= tokensAlone(work).catch((error) => {
      alone = undefined; // a rank that failed once may do the next time
      throw error;
    });
  let checked: Promise<ReferenceCheck> | undefined;
  const reference = () =>
    checked ??= expected().then((tokens) => checkTokens(work, tokens, run.signal)).catch(
      (error) => {
        checked = undefined;
        throw error;
      },
    );
  const suite = { ...work, run, expected, reference };
  let done = 0;
  const finish = (cases: readonly ScheduleCase[]) => {
    done += cases.length;
    run.onProgress({ done, total: all.length, label: scheduleLabel(cases.at(-1)!) });
  };
  const open: (readonly ScheduleCase[])[] = [];
  for (const cases of layouts.values()) {
    const missing = cases.filter((c) =>
      !run.finished.has(rowKey("schedules", scheduleKey(c, work)))
    );
    done += cases.length - missing.length;
    if (missing.length > 0) open.push(missing);
  }
  if (done > 0) run.onProgress({ done, total: all.length, label: MEASURED_BEFORE });
  while (open.length > 0 && !run.signal.aborted) {
    const count = layoutsTogether(open, work);
    await runLayouts(open.splice(0, count), suite, finish);
  }
}

/** How many of the layouts ahead are open together, so that all their cases take turns. */
function layoutsTogether(
  open: readonly (readonly ScheduleCase[])[],
  { config, cacheConfig }: ScheduleWork,
): number {
  let [ranks, bytes] = [0, 0];
  const tooMany = open.findIndex(([first]) => {
    const layout = layoutOf(first!.layout);
    ranks += worldSize(layout);
    try {
      const layers = first!.layout.stage_layers;
      bytes += layoutBytes(config.model, { layout, layers, cacheConfig });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // its rows will say why it cannot be opened
    }
    return ranks > RANKS_TOGETHER || bytes > BYTES_TOGETHER;
  });
  return tooMany === -1 ? open.length : Math.max(1, tooMany);
}

/** Measures layouts in turns; the rows of each come when its cases are done. */
async function runLayouts(
  layouts: readonly (readonly ScheduleCase[])[],
  suite: Suite,
  finish: (cases: readonly ScheduleCase[]) => void,
): Promise<void> {
  const { config, run } = suite;
  await using stack = new AsyncDisposableStack();
  const opened: LayoutCases[] = [];
  for (const cases of layouts) {
    if (run.signal.aborted) return;
    const problem = refusal(suite, cases[0]!.layout);
    if (problem !== undefined) {
      await writeUnmeasured(cases, suite, { status: "skipped", reason: problem });
      finish(cases);
      continue;
    }
    try {
      opened.push(stack.use(await openCases(cases, suite)));
    } catch (error) {
      if (run.signal.aborted) return; // what was cut off has no row
      await writeFailed(cases, suite, error);
      finish(cases);
    }
  }
  await measureLayouts(opened, {
    seed: config.seed,
    signal: run.signal,
    onDone: async (layout) => {
      await writeRows(layout, opened, suite);
      finish(layout.cases);
    },
  });
}

async function openCases(cases: readonly ScheduleCase[], suite: Suite): Promise<LayoutCases> {
  const { config, session, run, cacheConfig } = suite;
  const { layout: sizes } = cases[0]!;
  const layout = layoutOf(sizes);
  const maxConcurrentBatches = Math.max(...cases.map((c) => c.maxConcurrentBatches));
  const expected = await suite.expected();
  await suite.reference(); // before anything is timed
  const layers = sizes.stage_layers;
  const opened = await session.time.ranks(() =>
    openLayout(suite, { layout, layers, maxConcurrentBatches })
  );
  await session.tuning.save();
  const sized = sizedRanks(config.model, layout, { ...cacheConfig, layers });
  const allocated = opened.opened;
  run.files.addRanks(sized.map((rank) => ({ ...rank, allocated: allocated[rank.rank] })));
  return new LayoutCases(suite, opened, { cases, expected });
}

/** Opens a layout with the variants that are fastest on the session's device. */
function openLayout(
  { config, cacheConfig, signal, session: { device, tuner } }: OpenWork,
  how: Pick<LayoutOptions, "layout" | "layers" | "maxConcurrentBatches">,
): Promise<LayoutRun> {
  return LayoutRun.open(decoderSource(config), {
    ...how,
    cacheConfig,
    choose: (operation) => tuner.best(operation),
    memoryBytes: deviceMemoryBytes(device),
    signal,
  });
}

/** What each request alone gives on one rank. */
function tokensAlone(work: OpenWork): Promise<ExpectedTokens> {
  return work.session.time.ranks(() => serveAlone(work));
}

async function serveAlone(work: OpenWork): Promise<ExpectedTokens> {
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
