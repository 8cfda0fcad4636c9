import type { CollectiveRow, KernelRow, ScheduleRow } from "./row.ts";

/** The rows of each suite, in the order in which they were finished. */
export interface SuiteRows {
  /** Of kernels.csv. */
  readonly kernels: readonly KernelRow[];
  /** Of collectives.csv. */
  readonly collectives: readonly CollectiveRow[];
  /** Of schedules.csv. */
  readonly schedules: readonly ScheduleRow[];
}

/** A row of any suite. */
export type AnyRow = SuiteRows[keyof SuiteRows][number];
