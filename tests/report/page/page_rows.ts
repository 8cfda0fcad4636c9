import type { PageData, PageRun, Row } from "../../../report/page/data.ts";

type CellsOf = Readonly<Record<string, string>>;

/** A run with tables of such rows; a cell `label` is what the row is called. */
export function runOf(
  name: string,
  tables: Readonly<Record<string, readonly CellsOf[]>> = {},
  more: Partial<PageRun> = {},
): PageRun {
  return {
    name,
    started: `${name}'s start`,
    about: [],
    warnings: [],
    ceilings: null,
    samples: {},
    timelines: [],
    tables: Object.fromEntries(
      Object.entries(tables).map(([file, rows]) => {
        const headers = [...new Set(rows.flatMap((row) => Object.keys(row)))]
          .filter((header) => header !== "label");
        return [file, {
          headers,
          rows: rows.map((row) => headers.map((header) => row[header] ?? "")),
          labels: rows.map(({ label = "" }) => label),
        }];
      }),
    ),
    ...more,
  };
}

/** A page of runs. */
export function pageOf(runs: readonly PageRun[], columns: PageData["columns"] = {}): PageData {
  return { runs, columns };
}

/** Rows of one run. */
export function rowsLike(cells: readonly CellsOf[], run: PageRun = runOf("run")): readonly Row[] {
  return cells.map(({ label = "", ...rest }) => ({ run, label, cells: rest }));
}
