/** Rows of results: one record of columns a suite, and the key and the label that name a row. */

import {
  type Cells,
  type Column,
  type ColumnText,
  type ColumnTexts,
  formatCell,
  type KeyOf,
  makeColumns,
  type RowOf,
} from "./column.ts";
import type { Suite } from "./suite.ts";
import { COLLECTIVE_COLUMN_TEXTS } from "./collective_columns.ts";
import { COMMON_COLUMN_TEXTS, LATER_COMMON_COLUMN_TEXTS } from "./common_columns.ts";
import { KERNEL_COLUMN_TEXTS } from "./kernel_columns.ts";
import { SCHEDULE_COLUMN_TEXTS } from "./schedule_columns.ts";
import { shortHash } from "../files/short_hash.ts";

/** The version of the columns; it changes when one changes its meaning. 2: row keys begin with a letter. */
export const SCHEMA_VERSION = 2;

/** What each suite says of its columns; a common one stands where its file has it all the same. */
const OWN_TEXTS = {
  kernels: KERNEL_COLUMN_TEXTS,
  collectives: COLLECTIVE_COLUMN_TEXTS,
  schedules: SCHEDULE_COLUMN_TEXTS,
} as const;

/** The texts of a suite's whole file. */
type Texts<S extends Suite> =
  & Omit<typeof COMMON_COLUMN_TEXTS, keyof typeof OWN_TEXTS[S]>
  & typeof OWN_TEXTS[S]
  & typeof LATER_COMMON_COLUMN_TEXTS;

/**
 * A line of kernels.csv.
 * @internal
 */
export type KernelRow = RowOf<Texts<"kernels">>;

/** The independent variables of a kernel row. */
export type KernelKey = KeyOf<Texts<"kernels">>;

/**
 * A line of collectives.csv.
 * @internal
 */
export type CollectiveRow = RowOf<Texts<"collectives">>;

/** The independent variables of a collective row. */
export type CollectiveKey = KeyOf<Texts<"collectives">>;

/**
 * A line of schedules.csv.
 * @internal
 */
export type ScheduleRow = RowOf<Texts<"schedules">>;

/** The independent variables of a schedule row. */
export type ScheduleKey = KeyOf<Texts<"schedules">>;

const COLUMNS: Readonly<Record<Suite, readonly Column[]>> = {
  kernels: suiteColumns(KERNEL_COLUMN_TEXTS),
  collectives: suiteColumns(COLLECTIVE_COLUMN_TEXTS),
  schedules: suiteColumns(SCHEDULE_COLUMN_TEXTS),
};

function suiteColumns(own: ColumnTexts): readonly Column[] {
  return makeColumns({ ...COMMON_COLUMN_TEXTS, ...own, ...LATER_COMMON_COLUMN_TEXTS });
}

/** All columns of a suite's CSV file, in order. */
export function columnsOf(suite: Suite): readonly Column[] {
  return COLUMNS[suite];
}

/**
 * The row key: `k` and a hash of the key columns' cells, the same in every run. The letter is no
 * hexadecimal digit, so that no reader takes a key such as `9e4191020961` for a number.
 */
export function rowKey(suite: Suite, row: Cells): string {
  const columns = columnsOf(suite).filter(({ key }) => key !== undefined);
  const own = columns.filter(({ key }) => key === true);
  const renamed = columns.filter(({ key }) => key !== true);
  const values = [...own, ...renamed].map(({ header, key }) =>
    `${key === true ? header : key}=${formatCell(header === "suite" ? suite : row[header])}`
  );
  return `k${shortHash(values.join("\n"))}`;
}

/** What a row and all rows that its speed-up refers to have in common: a key without a value of `anyBase`. */
export function baseKey(suite: Suite, row: Cells): string {
  const fixed = columnsOf(suite).filter(({ base, anyBase }) => base !== undefined || anyBase)
    .map(({ header, base }) => [header, base] as const);
  return rowKey(suite, { ...row, ...Object.fromEntries(fixed) });
}

/** Whether speed-ups refer to a row. */
export function isBase(suite: Suite, row: Cells): boolean {
  const fixed = columnsOf(suite).filter(({ base }) => base !== undefined);
  return fixed.length > 0 &&
    fixed.every(({ header, base }) => formatCell(row[header]) === formatCell(base));
}

/**
 * What a row or a case is called: its key cells but for usual ones and for those that a case has not got.
 * No two keys of a suite have one label.
 */
export function label(suite: Suite, row: Cells): string {
  const words = Object.entries<ColumnText>(OWN_TEXTS[suite]).map(([header, column]) => {
    const { kind, key, short, usual } = column;
    const text = formatCell(row[header]);
    if (!key || text === formatCell(usual)) return "";
    if (kind === "flag") return header;
    return (short && text ? `${short}=` : "") + text.replaceAll(" ", ",");
  });
  return words.filter((word) => word !== "").join(" ");
}
