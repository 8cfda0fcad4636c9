import { SUITES } from "../../records/rows/suite.ts";
import { isWrong, type PageData, type PageRun, type Row, rowsOf } from "./data.ts";
import { h } from "./dom.ts";

/** What each run is, how many rows it has, and what to be warned of. */
export function overview({ runs, columns }: PageData): HTMLElement {
  const count = (run: PageRun, of: (row: Row) => boolean) =>
    SUITES.flatMap((suite) => rowsOf({ runs: [run], columns }, suite).rows).filter(of).length;
  return h(
    "div",
    { class: "runs" },
    runs.map((run) =>
      h(
        "section",
        { class: "card" },
        h("h3", {}, run.name),
        h(
          "p",
          {},
          `${count(run, () => true)} rows, ${count(run, isWrong)} wrong or failed, ${
            count(run, (row) => row.cells["status"] === "skipped")
          } skipped; started ${run.started}`,
        ),
        run.warnings.length > 0 &&
          h("ul", { class: "warnings" }, run.warnings.map((text) => h("li", {}, text))),
        h(
          "table",
          {},
          h(
            "tbody",
            {},
            run.about.map(([name, value]) =>
              h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value))
            ),
          ),
        ),
      )
    ),
  );
}
