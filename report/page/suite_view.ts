import type { PageData, Row } from "./data.ts";
import { h } from "./dom.ts";
import { table } from "./table.ts";

/** What charts have besides their rows. */
export interface ChartContext {
  readonly data: PageData;
  /** Called when a row is chosen. */
  readonly onPick: (row: Row) => void;
}

/** Draws the charts of a suite from the rows that pass the filters. */
export type Charts = (rows: readonly Row[], context: ChartContext) => readonly HTMLElement[];

/** The charts of a file's rows, and below them the table whose filters choose these rows. */
export function suiteView(file: string, charts: Charts, context: ChartContext): HTMLElement {
  const drawn = h("div", { class: "charts" });
  const rows = table(context.data, file, {
    onRows: (kept) => drawn.replaceChildren(...charts(kept, context)),
    onPick: context.onPick,
  });
  return h("div", {}, drawn, rows);
}
