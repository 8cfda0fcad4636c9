import { SUITES } from "../../records/rows/suite.ts";
import { chart, type Plot } from "./chart.ts";
import { isRight, num, type PageData, type Row, rowsOf } from "./data.ts";
import { h } from "./dom.ts";
import { describe } from "./row_words.ts";
import type { ViewContext } from "./suite_view.ts";

/** A column of a suite over runs in time, a line a row key. */
export function historyPlot(data: PageData, suite: string, column: string): Plot {
  const { rows } = rowsOf(data, suite);
  const keys = Map.groupBy(rows.filter(isRight), (r) => r.cells["row_key"] ?? "");
  const often = [...keys.values()].filter((members) => members.length > 1);
  const point = (row: Row) => ({ x: 1 + data.runs.indexOf(row.run), y: num(row, column), row });
  return {
    title: `${column} over runs`,
    x: "run, oldest first",
    y: column,
    logY: true,
    note: `${often.length} rows that several runs have: ${
      data.runs.map((r, i) => `${i + 1} = ${r.started}`).join(", ")
    }`,
    series: often.map((members) => ({
      name: members[0]!.label,
      how: "both",
      points: members.map(point).filter(({ y }) => y > 0),
    })),
    describe,
  };
}

/** That of a suite and a column to be chosen. */
export function history({ data, onPick }: ViewContext): HTMLElement {
  const suites = SUITES.filter((s) => data.runs.some((run) => run.tables[s]));
  const box = h("div");
  const suite = h("select", { "aria-label": "suite" }, suites.map((s) => h("option", s)));
  const column = h("select", { "aria-label": "column" });
  const draw = () =>
    box.replaceChildren(chart(historyPlot(data, suite.value, column.value), onPick));
  const fill = () => {
    const { headers, rows } = rowsOf(data, suite.value);
    const numeric = headers.filter((header) => rows.some((row) => num(row, header) > 0));
    column.replaceChildren(...numeric.map((header) => h("option", header)));
    column.value = numeric.includes("time_us_median") ? "time_us_median" : numeric[0] ?? "";
    draw();
  };
  suite.addEventListener("change", fill);
  column.addEventListener("change", draw);
  if (suites.length > 0) fill();
  return h("section", h("div", { class: "bar" }, suite, column), box);
}
