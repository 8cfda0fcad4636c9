/** Rows of results: one record of columns a suite, and the key that names a row in every run. */

import { type Cell, type Column, makeColumns, type RowOf } from "./column.ts";
import type { Suite } from "./suite.ts";
import { COLLECTIVE_COLUMN_TEXTS } from "./collective_columns.ts";
import { COMMON_COLUMN_TEXTS } from "./common_columns.ts";
import { KERNEL_COLUMN_TEXTS } from "./kernel_columns.ts";
import { SCHEDULE_COLUMN_TEXTS } from "./schedule_columns.ts";
import { shortHash } from "../files/short_hash.ts";

/** The version of the columns; it changes when one changes its meaning. */
export const SCHEMA_VERSION = 1;

/** The columns that every suite's CSV file starts with, then each suite's own. */
export const COLUMNS: {
  readonly common: readonly Column[];
  readonly kernels: readonly Column[];
  readonly collectives: readonly Column[];
  readonly schedules: readonly Column[];
} = {
  common: makeColumns(COMMON_COLUMN_TEXTS, { suites: ["kernels", "collectives", "schedules"] }),
  kernels: makeColumns(KERNEL_COLUMN_TEXTS, { suites: ["kernels"] }),
  collectives: makeColumns(COLLECTIVE_COLUMN_TEXTS, { suites: ["collectives"] }),
  schedules: makeColumns(SCHEDULE_COLUMN_TEXTS, { suites: ["schedules"] }),
};

/** All columns of a suite's CSV file, in order. */
export function columnsOf(suite: Suite): readonly Column[] {
  return [...COLUMNS.common, ...COLUMNS[suite]];
}

/**
 * A line of kernels.csv.
 * @internal
 */
export type KernelRow = RowOf<typeof COMMON_COLUMN_TEXTS & typeof KERNEL_COLUMN_TEXTS>;

/** The independent variables of a kernel row. */
export type KernelKey = Pick<
  KernelRow,
  | "suite"
  | "model"
  | "dtype"
  | "op"
  | "variant"
  | "mode"
  | "tensor_parallel_size"
  | "tensor_parallel_rank"
  | "tokens"
  | "context"
>;

/**
 * A line of collectives.csv.
 * @internal
 */
export type CollectiveRow = RowOf<typeof COMMON_COLUMN_TEXTS & typeof COLLECTIVE_COLUMN_TEXTS>;

/** The independent variables of a collective row; the number of ranks is `logical_ranks`. */
export type CollectiveKey = Pick<
  CollectiveRow,
  "suite" | "model" | "dtype" | "op" | "algorithm" | "transport" | "memory" | "message_bytes"
>;

/**
 * A line of schedules.csv.
 * @internal
 */
export type ScheduleRow = RowOf<typeof COMMON_COLUMN_TEXTS & typeof SCHEDULE_COLUMN_TEXTS>;

/** The independent variables of a schedule row. */
export type ScheduleKey = Pick<
  ScheduleRow,
  | "suite"
  | "model"
  | "dtype"
  | "schedule"
  | "tensor_parallel_size"
  | "pipeline_parallel_size"
  | "data_parallel_size"
  | "max_concurrent_batches"
  | "requests"
  | "prompt_tokens"
  | "output_tokens"
  | "max_num_batched_tokens"
  | "max_num_seqs"
  | "arrivals"
  | "admission"
  | "head_exchange"
  | "sliced_sends"
  | "router"
  | "layout_order"
  | "stage_layers"
  | "threads_per_rank"
>;

/** The row key: a hash of the key columns' values, and of a number of ranks, the same in every run. */
export function rowKey(key: KernelKey | ScheduleKey | CollectiveKey, ranks?: number): string {
  const cells = key as Readonly<Record<string, Cell>>;
  const values = columnsOf(key.suite as Suite).filter((column) => column.key)
    .map(({ header, format }) => `${header}=${format(cells[header])}`);
  if (ranks !== undefined) values.push(`ranks=${ranks}`);
  return shortHash(values.join("\n"));
}

/** The row key of a row as its CSV file has it. */
export function rowKeyOfTexts(suite: Suite, row: Readonly<Record<string, string>>): string {
  const values = columnsOf(suite).filter((column) => column.key)
    .map(({ header }) => `${header}=${row[header] ?? ""}`);
  if (suite === "collectives") values.push(`ranks=${row["logical_ranks"] ?? ""}`);
  return shortHash(values.join("\n"));
}
