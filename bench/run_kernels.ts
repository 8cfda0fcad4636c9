import type { Device } from "../device/device.ts";
import { Canary } from "./canary.ts";
import { CaseRun } from "./case_run.ts";
import { type Ceilings, measureCeilings } from "./ceilings.ts";
import type { Config } from "./config.ts";
import { Evictor } from "./evictor.ts";
import { type KernelCase, kernelCases } from "./kernel_cases.ts";
import { kernelKey, kernelRow } from "./kernel_row.ts";
import type { KernelsSession, Mode } from "./measurement.ts";
import { type Sample, Timer } from "./measure.ts";
import { type KernelRow, rowKey } from "./row.ts";
import { shortHash } from "./short_hash.ts";
import { shuffled } from "./shuffled.ts";
import { Tuner } from "./tuner.ts";

/** What the caller of a run decides and wants to be told. */
export interface KernelsRun {
  readonly runId: string;
  /** Name of the model as rows say it. */
  readonly modelName: string;
  readonly filter: RegExp | undefined;
  /** Row keys that are on disk already. */
  readonly finished: ReadonlySet<string>;
  readonly tuningFolder: string | undefined;
  readonly cacheBytes: number;
  /** Host memory that may be used. */
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
  readonly onRow: (row: KernelRow, samples: readonly Sample[]) => void;
  readonly onProgress: (progress: Progress) => void;
}

/** How far a run is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What was finished last. */
  readonly label: string;
}

/** What a run says of its session in the manifest. */
export interface SessionReport {
  readonly ceilings: Ceilings;
  /** Hash of each shader's text that was used, by kernel/variant. */
  readonly shaders: Readonly<Record<string, string>>;
  /** Where the time went; what is left is the harness's own: references, checks, bookkeeping. */
  readonly time_ms: Readonly<
    Record<"total" | "set_up" | "compile" | "gpu_and_waiting" | "harness", number>
  >;
}

/** At most so many cases are under way together, their samples interleaved. */
const INTERLEAVED_CASES = 8;
/** And no more than this share of the host's memory is taken by them. */
const INTERLEAVED_MEMORY_SHARE = 1 / 4;

/** The cases of a configuration's kernels suite that a filter leaves, in a fixed order. */
export function casesOf(config: Config, filter?: RegExp): readonly KernelCase[] {
  const wanted = config.kernels;
  if (!wanted) return [];
  const cases = kernelCases({
    ops: wanted.ops,
    tensorParallelSizes: wanted.tensor_parallel_sizes,
    tokens: wanted.tokens,
    context: wanted.context,
    dtype: config.dtype,
  });
  return cases.filter((c) => !filter || filter.test(caseLabel(c)));
}

/** A case as `--filter` and progress see it. */
export function caseLabel(c: KernelCase): string {
  return `${c.op} ${c.dtype} tp=${c.tensorParallelSize} tokens=${c.tokens} context=${c.context}`;
}

/**
 * Measures the kernels suite of a configuration on a device. Cases are taken in seeded order and
 * measured several together, sample by sample; rows come as their cases are finished.
 */
export async function runKernels(
  config: Config,
  device: Device,
  run: KernelsRun,
): Promise<SessionReport> {
  const start = performance.now();
  const waitedMs = device.readBack.waitMs;
  using timer = await new Timer(device).ready();
  const tuner = await Tuner.open(device, timer, run.tuningFolder);
  const ceilings = await measureCeilings(device, timer);
  const modes: readonly Mode[] = config.measure.modes;
  using evictor = modes.includes("cold") ? new Evictor(device, run.cacheBytes) : undefined;
  using canary = new Canary(device, timer);
  await canary.start();
  const session: KernelsSession = {
    device,
    timer,
    tuner,
    ceilings,
    model: config.model,
    seed: config.seed,
    times: { setUpMs: 0 },
    memoryBytes: run.memoryBytes,
    evictor,
    rule: {
      minTimeMs: config.measure.min_time_ms,
      minSamples: config.measure.min_samples,
      maxNoisePct: config.measure.max_noise_pct,
      timeoutS: config.measure.timeout_s,
    },
  };
  const waiting = shuffled(casesOf(config, run.filter), config.seed);
  const total = waiting.length;
  let done = 0;
  const finish = async (caseRun: CaseRun) => {
    const results = await caseRun.finish();
    const canaryPct = await canary.driftPct();
    for (const result of results) {
      const { variant, mode } = result;
      const naive = results.find((r) =>
        r.variant === "naive" && r.mode === mode && r.samples.length > 0
      );
      const key = kernelKey(caseRun.case, { variant, mode }, run.modelName);
      if (run.finished.has(rowKey(key))) continue;
      const about = { device, runId: run.runId, canaryPct, naive };
      run.onRow(kernelRow(result, key, about), result.samples);
    }
    await tuner.save();
    run.onProgress({ done: ++done, total, label: caseLabel(caseRun.case) });
  };
  while (waiting.length > 0 && !run.signal.aborted) {
    using group = new DisposableStack();
    let open: CaseRun[] = [];
    let bytes = 0;
    while (waiting.length > 0 && open.length < INTERLEAVED_CASES && !run.signal.aborted) {
      const case_ = waiting[0]!;
      const caseBytes = CaseRun.bytes(session, case_);
      if (open.length > 0 && bytes + caseBytes > run.memoryBytes * INTERLEAVED_MEMORY_SHARE) break;
      waiting.shift();
      bytes += caseBytes;
      open.push(group.use(
        await CaseRun.start(session, case_, {
          variants: config.kernels!.variants,
          modes,
          keep: (variant, mode) =>
            !run.finished.has(rowKey(kernelKey(case_, { variant, mode }, run.modelName))),
        }),
      ));
    }
    for (let round = 0; open.length > 0; round++) {
      for (const ended of open.filter((c) => c.open.length === 0)) await finish(ended);
      open = open.filter((c) => c.open.length > 0);
      for (const m of shuffled(open.flatMap((c) => c.open), config.seed + round)) {
        if (run.signal.aborted) break;
        await m.turn();
      }
      if (run.signal.aborted) {
        for (const cut of open) await finish(cut);
        break;
      }
    }
  }
  const elapsed = performance.now() - start;
  const gpu_and_waiting = device.readBack.waitMs - waitedMs;
  const compile = device.pipelines.compileMs;
  const set_up = session.times.setUpMs;
  const harness = elapsed - gpu_and_waiting - compile - set_up;
  const shaders = Object.fromEntries(
    device.pipelines.shaders().map(([name, wgsl]) => [name, shortHash(wgsl)]),
  );
  return {
    ceilings,
    shaders,
    time_ms: { total: elapsed, set_up, compile, gpu_and_waiting, harness },
  };
}
