/** Rows of results: one record of columns a suite, and the key that names a row in every run. */

import { type Column, makeColumns, type RowOf } from "./column.ts";
import type { Suite } from "./config_schema.ts";
import { COMMON_COLUMN_TEXTS } from "./common_columns.ts";
import { KERNEL_COLUMN_TEXTS } from "./kernel_columns.ts";
import { shortHash } from "./short_hash.ts";

/** The version of the columns; it changes when one changes its meaning. */
export const SCHEMA_VERSION = 1;

/** The columns that every suite's CSV file starts with, then each suite's own. */
export const COLUMNS: {
  readonly common: readonly Column[];
  readonly kernels: readonly Column[];
} = {
  common: makeColumns(COMMON_COLUMN_TEXTS, { suites: ["kernels", "collectives", "schedules"] }),
  kernels: makeColumns(KERNEL_COLUMN_TEXTS, { suites: ["kernels"] }),
};

/** All columns of a suite's CSV file, in order. */
export function columnsOf(suite: Suite): readonly Column[] {
  return [...COLUMNS.common, ...(suite === "kernels" ? COLUMNS.kernels : [])];
}

/** A line of kernels.csv. */
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

/** The row key: a hash of the key columns' values, the same in every run. */
export function rowKey(key: KernelKey): string {
  const values = columnsOf("kernels").filter((column) => column.key)
    .map(({ header, format }) => `${header}=${format(key[header as keyof KernelKey])}`);
  return shortHash(values.join("\n"));
}
