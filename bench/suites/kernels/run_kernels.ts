import { CaseRun } from "./case_run.ts";
import type { Config } from "../../../config/config.ts";
import { EdgeChecks } from "../../measure/edge_checks.ts";
import { CacheFlush } from "../../measure/cache_flush.ts";
import { kernelCases, kernelKey, kernelLabel } from "./kernel_cases.ts";
import { kernelRow } from "./kernel_row.ts";
import type { KernelsSetting, Mode } from "./measurement.ts";
import { deriveRows } from "../../../records/rows/derive_rows.ts";
import { type KernelRow, rowKey } from "../../../records/rows/row.ts";
import type { Session } from "../../measure/session.ts";
import { shuffled } from "../../../statistics/shuffled.ts";
import { stopCriteria, type SuiteRun } from "../suite_run.ts";

/** At most so many cases are under way together, their samples interleaved. */
const INTERLEAVED_CASES = 8;
/** And no more than this share of the host's memory is taken by them. */
const INTERLEAVED_MEMORY_SHARE = 1 / 4;

/**
 * Measures the kernels suite of a configuration on a device. Cases are taken in seeded order and
 * measured several together, sample by sample; rows come as their cases are finished.
 */
export async function runKernels(
  config: Config,
  session: Session,
  run: SuiteRun<KernelRow>,
): Promise<void> {
  const { device, canary, tuning } = session;
  const modes: readonly Mode[] = config.measure.modes;
  using cacheFlush = modes.includes("cold") ? new CacheFlush(device) : undefined;
  const setting: KernelsSetting = {
    session,
    model: config.model,
    seed: config.seed,
    memoryBytes: run.memoryBytes,
    cacheFlush,
    edgeChecks: new EdgeChecks(device),
    rule: stopCriteria(config),
  };
  const waiting = shuffled(kernelCases(config, run.filter), config.seed);
  const total = waiting.length;
  let done = 0;
  const finish = async (caseRun: CaseRun) => {
    const results = await caseRun.finish();
    // What was chosen as best is kept before rows that name it: a resumed run must not choose another.
    await tuning.save();
    const context = { device, runId: run.runId, canary: await canary.read() };
    const measured = results.map((result) =>
      kernelRow(result, kernelKey(caseRun.case, result, config.model.name), context)
    );
    for (const one of deriveRows("kernels", measured, run.finished)) {
      if (!run.finished.has(one.row.row_key!)) run.onRow(one);
    }
    if (run.signal.aborted) return;
    run.onProgress({ done: ++done, total, label: kernelLabel(caseRun.case) });
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
