import { type Cells, formatCell } from "../rows/column.ts";
import { deriveRows, hasSamples } from "../rows/derive_rows.ts";
import { columnsOf } from "../rows/row.ts";
import type { Suite } from "../rows/suite.ts";
import type { SampleRecord } from "./sample_record.ts";

/** A suite's rows as texts by key and header, and whether a cell is another one than before. */
export interface SettledRows {
  readonly rows: ReadonlyMap<string, Cells>;
  readonly isChanged: boolean;
}

/**
 * Computes the cells of a suite's rows again, from all samples and rows that there are: what a speed-up
 * refers to may have been measured after the row itself. Rows without a record stay as they are.
 */
export function settledRows(
  suite: Suite,
  rows: ReadonlyMap<string, Readonly<Record<string, string>>>,
  samples: ReadonlyMap<string, SampleRecord>,
): SettledRows {
  const own = [...rows].map(([key, row]) => {
    const { series = {}, facts } = samples.get(key) ?? {};
    return [key, { row: row as Cells, series, facts }] as const;
  });
  const derived = deriveRows(suite, own.map(([, one]) => one));
  const columns = columnsOf(suite).filter(({ derive }) => derive !== undefined);
  let isChanged = false;
  const settled = own.map(([key, one], place): readonly [string, Cells] => {
    if (!hasSamples(suite, one)) return [key, one.row];
    const cells = Object.fromEntries(
      columns.map(({ header }) => [header, formatCell(derived[place]!.row[header])]),
    );
    const isOther = columns.some(({ header }) => one.row[header] !== cells[header]);
    isChanged ||= isOther;
    return [key, { ...one.row, ...cells }];
  });
  return { rows: new Map(settled), isChanged };
}
