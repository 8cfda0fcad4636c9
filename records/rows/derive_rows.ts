import { type Cell, type Cells, formatCell, type Series } from "./column.ts";
import { baseKey, columnsOf, rowKey } from "./row.ts";
import { rowTimesUs } from "./row_times.ts";
import type { Suite } from "./suite.ts";

/** A row and its raw samples. */
export interface SampledRow<Row extends Cells> {
  readonly row: Row;
  readonly series: Series;
}

/** Whether a row has samples, so that its columns can compute cells from them. */
export function hasSamples(suite: Suite, { row, series }: SampledRow<Cells>): boolean {
  return rowTimesUs({ ...row, suite }, series).length > 0;
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
  const keyed = rows.map(({ row, series }) => ({
    row: { ...row, suite, row_key: rowKey(suite, row) },
    series,
  }));
  const all = new Map([...keyed.map((one) => [one.row.row_key, one] as const), ...others]);
  const bases = new Map<string, Cells>();
  return keyed.map((one) => {
    const key = baseKey(suite, one.row) ?? "";
    const base = all.get(key);
    if (base && !bases.has(key)) bases.set(key, derived(suite, base, undefined));
    return { row: derived(suite, one, bases.get(key)), series: one.series };
  });
}

function derived<Row extends Cells>(
  suite: Suite,
  one: SampledRow<Row>,
  base: Cells | undefined,
): Row {
  if (!hasSamples(suite, one)) return one.row;
  // What was measured counts as it is written, so that a reader of the file computes the same.
  const cells: Record<string, Cell> = Object.fromEntries(
    Object.entries(one.row).map(([header, cell]) => [header, asWritten(cell)]),
  );
  for (const { header, derive } of columnsOf(suite)) {
    if (derive) cells[header] = derive(cells, one.series, base);
  }
  return cells as Row;
}

function asWritten(cell: Cell): Cell {
  if (typeof cell !== "number") return cell;
  const text = formatCell(cell);
  return text === "" ? undefined : Number(text);
}
