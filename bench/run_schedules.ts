import { DeviceError } from "../device/device_error.ts";
import { elementBits, nameKey } from "../model/counter_generator.ts";
import { memoryProblem } from "../model/stage_memory.ts";
import { stageCosts, stageProgram, wholeDecoder } from "../model/stage_program.ts";
import type { Rank, StepResult } from "../runtime/rank.ts";
import { RankExecutor } from "../runtime/rank_executor.ts";
import { tokenBatch } from "../runtime/token_batch.ts";
import type { Executor } from "../schedules/engine_core.ts";
import type { Request, ScheduledBatch } from "../schedules/scheduler.ts";
import { ceilingUs } from "./ceilings.ts";
import type { Config } from "./config.ts";
import type { LayoutSizes } from "./config_schema.ts";
import { Stopper } from "./measure.ts";
import { deviceMemoryBytes, openDecoder } from "./open_decoder.ts";
import { rowKey, type ScheduleRow } from "./row.ts";
import { stopRule } from "./run_kernels.ts";
import { scheduleKey, type ScheduleResult, scheduleRow } from "./schedule_row.ts";
import { serve, type Served } from "./serve.ts";
import type { Session } from "./session.ts";
import { summarise } from "./statistics.ts";
import type { SuiteRun } from "./suite_run.ts";

/** One schedule on one layout, serving the configuration's requests. */
export interface ScheduleCase {
  readonly schedule: "step" | "step_with_batch_queue";
  readonly layout: LayoutSizes;
  /** Batches that may be in flight at once. */
  readonly depth: number;
}

/** Repetitions that are made at least, however little time is asked for. */
const LEAST_REPETITIONS = 3;

/** Every case of a configuration's schedules suite that a filter leaves; step has depth 1. */
export function scheduleCases({ schedules }: Config, filter?: RegExp): readonly ScheduleCase[] {
  if (!schedules) return [];
  const cases = schedules.layouts.flatMap((layout) =>
    schedules.schedules.flatMap((schedule) =>
      (schedule === "step" ? [1] : schedules.max_concurrent_batches).map((depth) => ({
        schedule,
        layout,
        depth,
      }))
    )
  );
  return cases.filter((c) => !filter || filter.test(scheduleLabel(c)));
}

/** A case as `--filter` and progress see it. */
export function scheduleLabel({ schedule, layout, depth }: ScheduleCase): string {
  return `${schedule} tp=${layout.tensor_parallel_size} pp=${layout.pipeline_parallel_size} ` +
    `dp=${layout.data_parallel_size} depth=${depth}`;
}

/** The requests of a configuration: seeded prompts of one length. */
export function seededRequests({ schedules, model, seed }: Config): readonly Request[] {
  const { count, prompt_tokens, output_tokens } = schedules!.requests;
  return Array.from({ length: count }, (_, id) => {
    const key = nameKey(`prompt.${id}`, seed);
    const promptTokenIds = Array.from(
      { length: prompt_tokens },
      (_, i) => elementBits(key, i) % model.vocab,
    );
    return { id, promptTokenIds, maxTokens: output_tokens };
  });
}

/** Measures the schedules suite of a configuration; rows come as their cases are finished. */
export async function runSchedules(
  config: Config,
  session: Session,
  run: SuiteRun<ScheduleRow>,
): Promise<void> {
  const cases = scheduleCases(config, run.filter);
  for (const [done, case_] of cases.entries()) {
    if (run.signal.aborted) return;
    const key = scheduleKey(case_, config);
    if (!run.finished.has(rowKey(key))) {
      const result = await measure(config, session, { case: case_, signal: run.signal });
      if (!result) return;
      const about = {
        device: session.device,
        runId: run.runId,
        canaryPct: await session.canary.driftPct(),
      };
      run.onRow(scheduleRow(result, key, about), {
        host_us: result.steps.map((step) => step.hostUs),
        gpu_us: result.steps.flatMap((step) => step.gpuUs === undefined ? [] : [step.gpuUs]),
        submit_us: result.steps.map((step) => step.submitUs),
        wait_us: result.steps.map((step) => step.waitUs),
        wall_ms: result.served.map((served) => served.wallMs),
        ttft_ms: result.served.flatMap((served) => served.ttftMs),
        tpot_ms: result.served.flatMap((served) => served.tpotMs),
      });
      await session.tuner.save();
    }
    run.onProgress({ done: done + 1, total: cases.length, label: scheduleLabel(case_) });
  }
}

/** Serves all requests until the stop rule holds; undefined where an interrupt came first. */
async function measure(
  config: Config,
  session: Session,
  { case: case_, signal }: { readonly case: ScheduleCase; readonly signal: AbortSignal },
): Promise<ScheduleResult | undefined> {
  const { device } = session;
  const { max_num_batched_tokens, max_num_seqs, requests: wanted } = config.schedules!;
  const requests = seededRequests(config);
  const room = {
    slots: Math.min(max_num_seqs, wanted.count),
    context: wanted.prompt_tokens + wanted.output_tokens,
    maxTokens: Math.min(max_num_batched_tokens, wanted.count * wanted.prompt_tokens),
  };
  const { model, dtype } = config;
  const { bindingBytes } = device;
  const stage = wholeDecoder(model, { dtype, ...room, bindingBytes });
  const problem = unsupported(case_) ?? contextProblem(config, room.context) ??
    memoryProblem(stage, deviceMemoryBytes(device));
  if (problem !== undefined) return { status: "skipped", reason: problem, steps: [], served: [] };
  try {
    using rank = await openDecoder(config, session, room);
    const weightBytes = labelledBytes(device.ledger.bytesByLabel("weights."));
    const kvCacheBytes = labelledBytes(device.ledger.bytesByLabel("kv_cache."));
    const limits = { maxNumBatchedTokens: max_num_batched_tokens, maxNumSeqs: max_num_seqs };
    const expected = await alone(rank, requests);
    const recorded: ScheduledBatch[] = [];
    await serve(recording(rank, recorded), requests, limits); // compiles, tunes, warms up
    const served: Served[] = [];
    const times: number[] = [];
    const stopper = new Stopper(stopRule(config));
    for (let reason = undefined;;) {
      if (signal.aborted) return undefined;
      const one = await serve([new RankExecutor(rank)], requests, { limits });
      served.push(one);
      for (const step of one.steps) {
        times.push(step.hostUs);
        reason = stopper.next(times, {
          noise: () => summarise(times).noisePct,
          spentUs: step.hostUs,
        });
      }
      if (reason === undefined || served.length < LEAST_REPETITIONS) continue;
      const mismatches = served.reduce(
        (sum, { tokenIds }) => sum + differences(tokenIds, expected),
        0,
      );
      return {
        status: mismatches > 0 ? "wrong" : "ok",
        reason: mismatches > 0 ? `${mismatches} tokens differ from each request alone` : "",
        stopReason: reason,
        steps: served.flatMap((s) => s.steps),
        served,
        mismatches,
        weightBytes,
        kvCacheBytes,
        idealUs: recorded.reduce((sum, batch) => sum + idealUs(rank, batch, session), 0),
      };
    }
  } catch (error) {
    if (!(error instanceof DeviceError) || error.kind === "DeviceLost") throw error;
    device.errors.forget();
    return { status: "failed", reason: error.message.split("\n")[0]!, steps: [], served: [] };
  }
}

function unsupported({ layout, schedule }: ScheduleCase): string | undefined {
  const ranks = layout.tensor_parallel_size * layout.pipeline_parallel_size *
    layout.data_parallel_size;
  if (ranks > 1) return `a layout of ${ranks} ranks cannot be run by this version`;
  return schedule === "step" ? undefined : "one rank has no pipeline that a batch queue could fill";
}

function contextProblem({ model }: Config, context: number): string | undefined {
  return context > model.maxPositions
    ? `a context of ${context} is beyond the model's ${model.maxPositions} positions`
    : undefined;
}

/** The tokens of each request served alone, its prompt in as few batches as there is room for. */
async function alone(
  rank: Rank,
  requests: readonly Request[],
): Promise<readonly (readonly number[])[]> {
  const tokens: (readonly number[])[] = [];
  const limits = { maxNumBatchedTokens: rank.stage.maxTokens, maxNumSeqs: 1 };
  for (const request of requests) {
    const { tokenIds } = await serve([new RankExecutor(rank)], [request], { limits });
    tokens.push(tokenIds[0]!);
  }
  return tokens;
}

/** Runs batches and keeps what they were. */
function recording(rank: Rank, batches: ScheduledBatch[]): Executor<StepResult> {
  const executor = new RankExecutor(rank);
  return {
    depth: executor.depth,
    submit: (batch) => {
      if (batch.parts.length > 0) batches.push(batch);
      return executor.submit(batch);
    },
  };
}

/** The least time of a batch: each operation at the slower of the two ceilings. */
function idealUs(rank: Rank, scheduled: ScheduledBatch, { ceilings }: Session): number {
  const batch = tokenBatch(scheduled);
  const size = { tokens: batch.tokenIds.length, samples: batch.samples.length };
  return stageCosts(stageProgram(rank.stage, size, batch))
    .reduce((sum, cost) => sum + ceilingUs(cost, ceilings), 0);
}

function differences(
  seen: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): number {
  return expected.reduce(
    (sum, ids, request) => sum + ids.filter((id, i) => seen[request]![i] !== id).length,
    0,
  );
}

function labelledBytes(labels: Readonly<Record<string, number>>): number {
  return Object.values(labels).reduce((sum, bytes) => sum + bytes, 0);
}
