import type { PoolResult } from "./rank_pool.ts";
import type { ReplicaTrace } from "./replica_trace.ts";

/** One step of a replica as a whole: the slowest rank of each stage, one stage after another. */
export interface StepTimes {
  /** From submitting to the token ids. */
  readonly hostUs: number;
  /** On the adapters' clocks; undefined where they have none. */
  readonly gpuUs: number | undefined;
  readonly submitUs: number;
  readonly waitUs: number;
}

/** What the steps of results took, from what the ranks noted. */
export function stepTimes(
  { stages, ranks }: Pick<ReplicaTrace, "stages" | "ranks">,
  results: readonly PoolResult[],
): readonly StepTimes[] {
  const none = () => new Array<number>(stages).fill(0);
  const byStep = new Map<number, Record<"gpu" | "submit" | "wait", number[]>>();
  for (const { stage, steps } of ranks) {
    for (const { step, spans, submitUs, waitUs } of steps) {
      const slowest = byStep.get(step) ?? { gpu: none(), submit: none(), wait: none() };
      byStep.set(step, slowest);
      const computing = spans.filter(({ kind }) => kind === "compute");
      const gpuUs = computing.reduce((sum, span) => sum + (span.gpuUs ?? NaN), 0);
      slowest.gpu[stage] = Math.max(slowest.gpu[stage]!, gpuUs);
      slowest.submit[stage] = Math.max(slowest.submit[stage]!, submitUs);
      slowest.wait[stage] = Math.max(slowest.wait[stage]!, waitUs);
    }
  }
  const total = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);
  return results.map(({ step, start, end }) => {
    const { gpu, submit, wait } = byStep.get(step!)!;
    const gpuUs = total(gpu);
    return {
      hostUs: (end - start) * 1000,
      gpuUs: Number.isNaN(gpuUs) ? undefined : gpuUs,
      submitUs: total(submit),
      waitUs: total(wait),
    };
  });
}
