import { isRight, num, type Row, short } from "./data.ts";
import { choosable, h, note, wideFigure } from "./dom.ts";
import { legend } from "./colours.ts";
import { layoutName, sampleNote } from "./row_words.ts";
import type { Charts } from "./suite_view.ts";

const SHARES = ["busy", "transfer", "host_gap", "imbalance", "fill_drain"] as const;

/** Schedules: tokens a second beside each other, and where the time went. */
export const scheduleCharts: Charts = (rows, { data, onPick }) => {
  const right = rows.filter(isRight).filter((r) => num(r, "output_tokens_per_s") > 0);
  if (right.length === 0) return [h("p", { class: "quiet" }, "Nothing to show.")];
  const most = Math.max(...right.map((r) => num(r, "output_tokens_per_s")));
  const lines = [...Map.groupBy(right, layoutName)].flatMap(([layout, members]) => [
    h("tr", { class: "group" }, h("th", { colspan: 4, scope: "rowgroup" }, layout)),
    ...members.map((row) => {
      const speed = num(row, "output_tokens_per_s");
      return h(
        "tr",
        choosable(() => onPick(row)),
        h("th", { scope: "row" }, scheduleWords(row, data.runs.length > 1)),
        h("td", h("div", { class: "rail" }, bar("div", "speed", 100 * speed / most)), short(speed)),
        h("td", stack(row)),
        h("td", short(num(row, "speedup_vs_step"))),
      );
    }),
  ]);
  const titles = ["schedule", "output tokens/s", "share of all ranks' wall time", "x step"];
  return [
    wideFigure(
      "Tokens a second, and where the ranks' time went",
      h(
        "table",
        { class: "bars" },
        h("thead", h("tr", titles.map((title) => h("th", { scope: "col" }, title)))),
        h("tbody", lines),
      ),
      legend(SHARES.map((share) => ({
        mark: h("span", { class: `key ${share}`, "aria-hidden": "true" }),
        name: share.replace("_", " "),
      }))),
      note(`${sampleNote(right)}; n counts steps, tokens/s is of the median repetition`),
    ),
  ];
};

function scheduleWords({ cells, run }: Row, hasOtherRuns: boolean): string {
  return [
    cells["schedule"],
    `depth ${cells["max_concurrent_batches"]}`,
    cells["admission"],
    cells["head_exchange"] === "all_gather" ? "" : cells["head_exchange"],
    cells["sliced_sends"] === "true" ? "sliced sends" : "",
    hasOtherRuns ? run.name : "",
  ].filter((word) => word).join(", ");
}

/** The shares of a row's time, side by side. */
function stack(row: Row): HTMLElement {
  const percent = (share: string) => num(row, `${share}_pct`);
  const title = SHARES.map((share) => `${share} ${short(percent(share))} %`).join(", ");
  const bars = SHARES.map((share) => bar("span", share, percent(share)));
  return h("div", { class: "stack", title }, bars);
}

function bar(tag: "div" | "span", className: string, percent: number): HTMLElement {
  const element = h(tag, { class: className });
  element.style.width = `${percent}%`;
  return element;
}
