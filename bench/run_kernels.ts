import type { Device } from "../device/device.ts";
import { canaryProgram, type Ceilings, measureCeilings } from "./ceilings.ts";
import type { Config } from "./config.ts";
import { Evictor } from "./evictor.ts";
import { type KernelCase, kernelCases, MODULE_OPS } from "./kernel_cases.ts";
import { measureCase, shuffled } from "./kernels_suite.ts";
import type { KernelResult, KernelsSession, Mode } from "./measurement.ts";
import { type Sample, Timer } from "./measure.ts";
import { type KernelKey, type KernelRow, rowKey, SCHEMA_VERSION } from "./row.ts";
import { shortHash } from "./short_hash.ts";
import { quantile, summarise } from "./statistics.ts";
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

/** The cases of a configuration's kernels suite that a filter leaves, in seeded order. */
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

/** Measures the kernels suite of a configuration on a device; rows come as they are finished. */
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
  const cases = shuffled(casesOf(config, run.filter), config.seed);
  for (const [done, case_] of cases.entries()) {
    if (run.signal.aborted) break;
    run.onProgress({ done, total: cases.length, label: caseLabel(case_) });
    const keyOf = (variant: string, mode: Mode) =>
      kernelKey(case_, { variant, mode }, run.modelName);
    const results = await measureCase(session, case_, {
      variants: config.kernels!.variants,
      modes,
      keep: (variant, mode) => !run.finished.has(rowKey(keyOf(variant, mode))),
      signal: run.signal,
    });
    // A variant that was cut off by an interrupt has no reason to stop: it is measured again later.
    const whole = results.filter((r) => r.status !== "ok" || r.stopReason !== undefined);
    const canaryPct = await canary.driftPct();
    for (const result of whole) {
      const naive = whole.find((r) =>
        r.variant === "naive" && r.mode === result.mode && r.samples.length > 0
      );
      const row = kernelRow(result, keyOf(result.variant, result.mode), {
        device,
        run,
        canaryPct,
        naive,
      });
      if (!run.finished.has(row.row_key ?? "")) run.onRow(row, result.samples);
    }
    await tuner.save();
  }
  run.onProgress({ done: cases.length, total: cases.length, label: "done" });
  const total = performance.now() - start;
  const gpu_and_waiting = device.readBack.waitMs - waitedMs;
  const compile = device.pipelines.compileMs;
  const set_up = session.times.setUpMs;
  const harness = total - gpu_and_waiting - compile - set_up;
  const shaders = Object.fromEntries(
    device.pipelines.shaders().map(([name, wgsl]) => [name, shortHash(wgsl)]),
  );
  return { ceilings, shaders, time_ms: { total, set_up, compile, gpu_and_waiting, harness } };
}

/** A fixed kernel run between cases: how much slower the machine got. */
class Canary implements Disposable {
  readonly #timer: Timer;
  readonly #buffers;
  readonly #dispatch;
  #startUs = 0;

  constructor(device: Device, timer: Timer) {
    this.#timer = timer;
    const from_ = device.allocate({ label: "canary.from", bytes: 16 });
    const to = device.allocate({ label: "canary.to", bytes: 4096 });
    this.#buffers = [from_, to];
    this.#dispatch = device.bind(canaryProgram(), { from_, to });
  }

  async start(): Promise<void> {
    await this.#timer.warmUp([this.#dispatch]);
    this.#startUs = await this.#time();
  }

  async driftPct(): Promise<number> {
    return 100 * (await this.#time() / this.#startUs - 1);
  }

  async #time(): Promise<number> {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { gpuUs, hostUs } = await this.#timer.sample([this.#dispatch]);
      times.push(gpuUs ?? hostUs);
    }
    return Math.min(...times);
  }

  [Symbol.dispose](): void {
    this.#dispatch.params?.destroy();
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

function kernelKey(
  c: KernelCase,
  how: { readonly variant: string; readonly mode: Mode },
  model: string,
): KernelKey {
  return {
    suite: "kernels",
    model,
    dtype: c.dtype,
    op: c.op,
    variant: how.variant,
    mode: how.mode,
    tensor_parallel_size: c.tensorParallelSize,
    tensor_parallel_rank: c.tensorParallelRank,
    tokens: c.tokens,
    context: c.context,
  };
}

function kernelRow(
  result: KernelResult,
  key: KernelKey,
  about: {
    readonly device: Device;
    readonly run: KernelsRun;
    readonly canaryPct: number;
    readonly naive: KernelResult | undefined;
  },
): KernelRow {
  const { device, run, canaryPct, naive } = about;
  const { samples, cost } = result;
  const { identity } = device;
  const clock = samples.some((s) => s.gpuUs === undefined) ? "host" : device.clock;
  const base: KernelRow = {
    ...key,
    schema_version: SCHEMA_VERSION,
    run_id: run.runId,
    row_key: rowKey(key),
    status: result.status,
    reason: result.reason,
    adapter: identity.name,
    adapter_type: identity.type,
    physical_adapters: 1,
    logical_ranks: 1,
    clock,
    stop_reason: result.stopReason,
    samples: samples.length,
    wrong_elements: result.wrongElements,
    max_abs_error: result.maxAbsError,
    tolerance: result.tolerance,
    verified_iterations: result.verifiedIterations,
    flops: cost.flops,
    bytes: cost.bytesRead + cost.bytesWritten,
    readback: device.readBack.mode,
    canary_pct: canaryPct,
    first_dispatch_ms: result.firstDispatchMs,
    pipeline_ms: result.pipelineMs,
  };
  if (samples.length === 0) return base;
  const time = summarise(times(result));
  const median = (values: readonly number[]) => quantile([...values].sort((a, b) => a - b), 0.5);
  const gpu = samples.flatMap((s) => s.gpuUs === undefined ? [] : [s.gpuUs]);
  const isRanked = result.status === "ok";
  return {
    ...base,
    time_us_median: time.median,
    time_us_min: time.min,
    time_us_p95: time.p95,
    time_us_ci_low: time.ciLow,
    time_us_ci_high: time.ciHigh,
    noise_pct: time.noisePct,
    time_us_mean: time.mean,
    time_us_p90: time.p90,
    time_us_p99: time.p99,
    time_us_stdev: time.stdev,
    gpu_us_median: gpu.length > 0 ? median(gpu) : undefined,
    rate_gflops: isRanked ? cost.flops / time.median / 1e3 : undefined,
    rate_gbytes_per_s: isRanked
      ? (cost.bytesRead + cost.bytesWritten) / time.median / 1e3
      : undefined,
    ceiling_pct: isRanked ? result.ceilingPct : undefined,
    speedup_vs_naive: isRanked && naive ? summarise(times(naive)).median / time.median : undefined,
    host_us_median: median(samples.map((s) => s.hostUs)),
    submit_us_median: median(samples.map((s) => s.submitUs)),
  };
}

function times(result: KernelResult): readonly number[] {
  return result.samples.map((s) => s.gpuUs ?? s.hostUs);
}

/** Whether an op is a module: one rank's shard built of several kernels. */
export function isModuleOp(op: string): boolean {
  return (MODULE_OPS as readonly string[]).includes(op);
}
