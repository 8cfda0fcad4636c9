import type { Cells } from "./column.ts";

/** Times of the canary's two kinds of work, in us, at the start of a run and beside a row: facts of the row. */
export interface CanaryFacts {
  readonly canary_start_multiply_add_us: number;
  readonly canary_multiply_add_us: number;
  readonly canary_start_copy_us: number;
  readonly canary_copy_us: number;
}

/** How much longer multiply-adds or copying takes than at the start, whichever changed more, in percent. */
export function canaryPct(facts: Cells): number {
  const [compute, copy] = ["multiply_add", "copy"].map((work) =>
    100 * (Number(facts[`canary_${work}_us`]) / Number(facts[`canary_start_${work}_us`]) - 1)
  ) as [number, number];
  return Math.abs(copy) > Math.abs(compute) ? copy : compute;
}
