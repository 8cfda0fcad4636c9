import { CaseRun } from "./case_run.ts";
import type { Config } from "../../../config/config.ts";
import { CacheFlush } from "../../measure/cache_flush.ts";
import { kernelCases } from "./kernel_cases.ts";
import type { KernelCase } from "../../../model/kernel_ops.ts";
import { caseKey, kernelKey, kernelRow } from "./kernel_row.ts";
import type { KernelsSetting, Mode } from "./measurement.ts";
import { deriveRows } from "../../../records/rows/derive_rows.ts";
import { type KernelRow, label, rowKey } from "../../../records/rows/row.ts";
import type { Session } from "../../measure/session.ts";
import { shuffled } from "../../../statistics/shuffled.ts";
import { stopCriteria, type SuiteRun } from "../suite_run.ts";

/** A run of the kernels suite. */
export interface KernelsRun extends SuiteRun<KernelRow> {
  /** Size of the last-level cache, which cold mode evicts. */
  readonly cacheBytes: number;
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
  return label("kernels", caseKey(c));
}

/**
 * Measures the kernels suite of a configuration on a device. Cases are taken in seeded order and
 * measured several together, sample by sample; rows come as their cases are finished.
 */
export async function runKernels(
  config: Config,
  session: Session,
  run: KernelsRun,
): Promise<void> {
  const { device, canary, tuning } = session;
  const modes: readonly Mode[] = config.measure.modes;
  using cacheFlush = modes.includes("cold") ? new CacheFlush(device, run.cacheBytes) : undefined;
  const setting: KernelsSetting = {
    session,
    model: config.model,
    seed: config.seed,
    memoryBytes: run.memoryBytes,
    cacheFlush,
    rule: stopCriteria(config),
  };
  const waiting = shuffled(casesOf(config, run.filter), config.seed);
  const total = waiting.length;
  let done = 0;
  const finish = async (caseRun: CaseRun) => {
    const results = await caseRun.finish();
    const canaryPct = await canary.driftPct();
    const measured = results.map((result) => {
      const { variant, mode } = result;
      const key = kernelKey(caseRun.case, { variant, mode }, config.model.name);
      return kernelRow(result, key, { device, runId: run.runId, canaryPct });
    });
    for (const { row, series } of deriveRows("kernels", measured, run.finished)) {
      if (!run.finished.has(row.row_key!)) run.onRow(row, series);
    }
    await tuning.save();
    run.onProgress({ done: ++done, total, label: caseLabel(caseRun.case) });
  };
  while (waiting.length > 0 && !run.signal.aborted) {
    using group = new DisposableStack();
    let open: CaseRun[] = [];
    let bytes = 0;
    while (waiting.length > 0 && open.length < INTERLEAVED_CASES && !run.signal.aborted) {
      const case_ = waiting[0]!;
      const caseBytes = CaseRun.bytes(setting, case_);
      if (open.length > 0 && bytes + caseBytes > run.memoryBytes * INTERLEAVED_MEMORY_SHARE) break;
      waiting.shift();
      bytes += caseBytes;
      open.push(group.use(
        await CaseRun.start(setting, case_, {
          variants: config.kernels!.variants,
          modes,
          keep: (variant, mode) =>
            !run.finished.has(
              rowKey("kernels", kernelKey(case_, { variant, mode }, config.model.name)),
            ),
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
}
