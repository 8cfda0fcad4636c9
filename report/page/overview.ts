import { SUITES } from "../../records/rows/suite.ts";
import { isWrong, type PageData, type PageRun, rowsOf } from "./data.ts";
import { h, headedTable } from "./dom.ts";

/** What each run is, how many rows it has, and what to be warned of. */
export function overview({ runs, columns }: PageData): HTMLElement {
  const rowCounts = (run: PageRun) => {
    const rows = SUITES.flatMap((suite) => rowsOf({ runs: [run], columns }, suite).rows);
    const skipped = rows.filter((row) => row.cells["status"] === "skipped").length;
    const wrong = rows.filter(isWrong).length;
    return `${rows.length} rows, ${wrong} wrong or failed, ${skipped} skipped`;
  };
  return h(
    "div",
    { class: "runs" },
    runs.map((run) =>
      h(
        "section",
        { class: "card" },
        h("h3", run.name),
        h("p", `${rowCounts(run)}; started ${run.started}`),
        run.warnings.length > 0 &&
          h("ul", { class: "warnings" }, run.warnings.map((text) => h("li", text))),
        headedTable(run.about.map(([name, value]) => [name, h("td", value)])),
      )
    ),
  );
}
