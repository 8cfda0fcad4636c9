import type { AlgorithmName } from "../../../collectives/registry.ts";
import { operation } from "../../../kernels/operation.ts";
import { KERNELS } from "../../../kernels/registry.ts";
import { type CollectiveCase, elementsOf } from "./collective_cases.ts";
import type { CollectiveRanks } from "./collective_ranks.ts";
import type { Session } from "../../measure/session.ts";
import { median } from "../../../statistics/summary.ts";
import { Workload } from "../../measure/workload.ts";

/** The GEMM that runs meanwhile: a few milliseconds on a software adapter. */
const GEMM = { tokens: 64, k: 512, columns: 512, dtype: "float32" } as const;
/** The collective, alone and beside the product, is measured for about so long. */
const WINDOW_US = 150_000;
const ALONE_SAMPLES = 10;

/** Times of a collective and of a GEMM, in us, each alone and beside the other: facts of a row. */
export interface OverlapFacts {
  readonly overlap_collective_us: number;
  readonly overlap_collective_beside_us: number;
  readonly overlap_gemm_us: number;
  readonly overlap_gemm_beside_us: number;
}

/**
 * How much of a collective hides behind a GEMM on the adapter: each is run alone and both together, back
 * to back.
 */
export async function measureOverlap(
  session: Session,
  pool: CollectiveRanks,
  c: CollectiveCase & { readonly algorithm: AlgorithmName },
): Promise<OverlapFacts> {
  const { device, timer, tuner } = session;
  const product = operation(KERNELS.gemm, GEMM);
  using workload = new Workload(device, [product], { seed: 0 });
  const variant = await tuner.best(product);
  const dispatches = workload.bind(() => variant);
  await timer.warmUp(dispatches);
  const loopCase = { ...c, count: elementsOf(c), inPlace: false };
  const collective = (runs: number) => pool.backToBack(loopCase, runs);
  const gemm = async (isOn: () => boolean) => {
    const times: number[] = [];
    while (isOn() || times.length === 0) times.push((await timer.sample(dispatches)).hostUs);
    return median(times);
  };
  const oneUs = await collective(1);
  const runs = Math.max(1, Math.round(WINDOW_US / oneUs));
  const collectiveUs = await collective(runs);
  let left = ALONE_SAMPLES;
  const gemmUs = await gemm(() => left-- > 0);
  let isRunning = true;
  const together = collective(runs).finally(() => isRunning = false);
  const gemmBesideUs = await gemm(() => isRunning);
  const collectiveBesideUs = await together;
  return {
    overlap_collective_us: collectiveUs,
    overlap_collective_beside_us: collectiveBesideUs,
    overlap_gemm_us: gemmUs,
    overlap_gemm_beside_us: gemmBesideUs,
  };
}
