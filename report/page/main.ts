/** The page: tabs of views over the data that it carries. */

import { chart, type Plot } from "./chart.ts";
import { collectivePlots } from "./collective_plots.ts";
import type { PageData, Row } from "./data.ts";
import { h, redraw } from "./dom.ts";
import { history } from "./history.ts";
import { kernelPlots } from "./kernel_plots.ts";
import { layoutView } from "./layout_view.ts";
import { overview } from "./overview.ts";
import { planPlot } from "./plan_plot.ts";
import { rowDetails } from "./row_details.ts";
import { scheduleCharts } from "./schedule_charts.ts";
import { type Charts, suiteView } from "./suite_view.ts";
import { timeline } from "./timeline.ts";

const data: PageData = JSON.parse(document.getElementById("data")!.textContent!);
const { dialog, show } = rowDetails(data);
const context = { data, onPick: show };

const has = (file: string) => data.runs.some((run) => (run.tables[file]?.rows.length ?? 0) > 0);
const plotted =
  (plots: (rows: readonly Row[], data: PageData) => readonly Plot[]): Charts =>
  (rows, { onPick }) => plots(rows, data).map((plot) => chart(plot, onPick));
const suite = (file: string, charts: Charts) => () => suiteView(file, charts, context);
const views: readonly (readonly [string, boolean, () => HTMLElement])[] = [
  ["Overview", true, () => overview(data)],
  ["Kernels", has("kernels"), suite("kernels", plotted(kernelPlots))],
  ["Collectives", has("collectives"), suite("collectives", plotted(collectivePlots))],
  ["Schedules", has("schedules"), suite("schedules", scheduleCharts)],
  [
    "Timeline",
    data.runs.some((run) => run.timelines.length > 0),
    () => h("div", data.runs.flatMap((run) => run.timelines.map(timeline))),
  ],
  ["Layouts", has("ranks"), () => h("div", layoutView(data))],
  ["Plan", has("plan"), suite("plan", plotted((rows) => [planPlot(rows)]))],
  ["History", data.runs.length > 1, () => history(context)],
];
const shown = views.filter(([, isThere]) => isThere);
const panels = shown.map(([name], i) =>
  h(
    "section",
    { id: `view-${i}`, class: "view", role: "tabpanel", "aria-label": name },
    h("h2", name),
  )
);
const tabs = shown.map(([name], i) =>
  h(
    "button",
    { type: "button", role: "tab", "aria-controls": `view-${i}`, onclick: () => open(i) },
    name,
  )
);
const made = new Set<number>();

/** A view is made when it is first opened, or printed. */
function make(i: number): void {
  if (made.has(i)) return;
  made.add(i);
  panels[i]!.append(shown[i]![2]());
}

function open(i: number): void {
  make(i);
  panels.forEach((panel, place) => panel.classList.toggle("open", place === i));
  tabs.forEach((tab, place) => {
    tab.setAttribute("aria-selected", String(place === i));
    tab.tabIndex = place === i ? 0 : -1;
  });
}

const bar = h("nav", {
  role: "tablist",
  "aria-label": "views",
  onkeydown: (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[(event as KeyboardEvent).key];
    const at = tabs.indexOf(document.activeElement as HTMLButtonElement);
    if (step === undefined || at < 0) return;
    const next = (at + step + tabs.length) % tabs.length;
    open(next);
    tabs[next]!.focus();
  },
}, tabs);
addEventListener("beforeprint", () => {
  shown.forEach((_, i) => make(i));
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
document.body.append(
  h("header", h("h1", "shardbench"), bar),
  h("main", panels),
  dialog,
);
open(0);
document.documentElement.dataset["ready"] = "true";
