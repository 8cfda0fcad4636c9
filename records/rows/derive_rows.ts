import {
  type Cell,
  type Cells,
  type Column,
  type Facts,
  formatCell,
  type Series,
} from "./column.ts";
import { baseKey, columnsOf, isBase, rowKey } from "./row.ts";
import { rowTimesUs } from "./row_times.ts";
import type { Suite } from "./suite.ts";

/** A row and its raw samples. */
export interface SampledRow<Row extends Cells> {
  readonly row: Row;
  readonly series: Series;
  readonly facts?: Facts | undefined;
}

/** Whether a row has samples, so that its columns can compute cells from them. */
export function hasSamples(suite: Suite, { row, series }: SampledRow<Cells>): boolean {
  return rowTimesUs({ ...row, suite }, series).length > 0;
}

/** Columns that the manifest determines. */
const OF_MANIFEST = ["schema_version", "run_id", "row_key", "adapter", "adapter_type"];

/**
 * Whether nothing that a run folder keeps determines a column's cells: what is computed from samples, what
 * the manifest says, and key columns, which make the row key, are determined.
 */
export function isOnlyHashed({ header, key, derive }: Column): boolean {
  return derive === undefined && key === undefined && !OF_MANIFEST.includes(header);
}

/**
 * Adds all cells that columns can compute to rows of one run, of which they have what was measured;
 * speed-ups refer to rows among them or among others of the run. Rows without samples get their key only.
 */
export function deriveRows<Row extends Cells>(
  suite: Suite,
  rows: readonly SampledRow<Row>[],
  others: ReadonlyMap<string, SampledRow<Cells>> = new Map(),
): readonly SampledRow<Row>[] {
  const keyed = rows.map((one) => ({
    ...one,
    row: { ...one.row, suite, row_key: rowKey(suite, one.row) },
  }));
  const all = new Map([...keyed.map((one) => [one.row.row_key, one] as const), ...others]);
  const bases = Map.groupBy(
    [...all.values()].filter(({ row }) => isBase(suite, row)),
    ({ row }) => baseKey(suite, row),
  );
  const wanted = new Map<string, readonly Cells[]>();
  return keyed.map((one) => {
    const key = baseKey(suite, one.row);
    if (!wanted.has(key)) {
      wanted.set(key, bases.get(key)?.map((base) => derived(suite, base, [])) ?? []);
    }
    return { ...one, row: derived(suite, one, wanted.get(key)!) };
  });
}

function derived<Row extends Cells>(
  suite: Suite,
  one: SampledRow<Row>,
  bases: readonly Cells[],
): Row {
  if (!hasSamples(suite, one)) return one.row;
  // What was measured counts as it is written, so that a reader of the file computes the same.
  const cells: Record<string, Cell> = Object.fromEntries(
    Object.entries(one.row).map(([header, cell]) => [header, asWritten(cell)]),
  );
  for (const { header, derive } of columnsOf(suite)) {
    if (derive) cells[header] = derive({ ...one.facts, ...cells }, one.series, bases);
  }
  return cells as Row;
}

function asWritten(cell: Cell): Cell {
  if (typeof cell !== "number") return cell;
  const text = formatCell(cell);
  return text === "" ? undefined : Number(text);
}
