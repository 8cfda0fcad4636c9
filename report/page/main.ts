/** The page: tabs of views over the data that it carries. */

import { isWrong, type PageData, type PageRun, type Row, rowsOf, short } from "./data.ts";
import { h, redraw } from "./dom.ts";
import { table } from "./table.ts";
import { timeline } from "./timeline.ts";
import {
  type Charts,
  collectiveCharts,
  describe,
  history,
  kernelCharts,
  layoutView,
  planCharts,
  scheduleCharts,
} from "./views.ts";

const data: PageData = JSON.parse(document.getElementById("data")!.textContent!);
const details = h("dialog", { "aria-label": "a row and its samples" });

/** Shows a row with all its cells and its raw samples. */
function pick(row: Row): void {
  const samples = row.run.samples[row.cells["row_key"] ?? ""] ?? {};
  const suite = data.columns[row.cells["suite"] ?? ""] ?? {};
  details.replaceChildren(
    h(
      "div",
      { class: "bar" },
      h("b", {}, describe(row)[0]!),
      h("button", { type: "button", onclick: () => details.close() }, "close"),
    ),
    ...Object.entries(samples).map(([name, { count, values }]) =>
      h(
        "section",
        {},
        h(
          "h4",
          {},
          `${name}: ${
            count === values.length
              ? `${count} samples`
              : `${values.length} of ${count} samples, evenly picked`
          }, in the order in which they were taken`,
        ),
        strip(values),
        h("p", { class: "samples" }, values.map(short).join(" ")),
      )
    ),
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        Object.entries(row.cells).map(([header, cell]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, header),
            h("td", {}, cell),
            h("td", { class: "quiet" }, (suite[header] ?? []).join("; ")),
          )
        ),
      ),
    ),
  );
  details.showModal();
}

/** Samples as dots, time to the right. */
function strip(values: readonly number[]): HTMLElement {
  const canvas = h("canvas", { class: "strip", "aria-hidden": "true" });
  requestAnimationFrame(() => {
    const [width, height] = [canvas.clientWidth, 90];
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const pen = canvas.getContext("2d")!;
    pen.scale(devicePixelRatio, devicePixelRatio);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    pen.fillStyle = "#0072b2";
    values.forEach((value, i) =>
      pen.fillRect(
        4 + i / Math.max(1, values.length - 1) * (width - 10),
        height - 6 - (high > low ? (value - low) / (high - low) : 0.5) * (height - 12),
        3,
        3,
      )
    );
  });
  return canvas;
}

function overview(): HTMLElement {
  const count = (run: PageRun, of: (row: Row) => boolean) =>
    ["kernels", "collectives", "schedules"].flatMap((suite) =>
      rowsOf({ ...data, runs: [run] }, suite).rows
    )
      .filter(of).length;
  return h(
    "div",
    { class: "runs" },
    data.runs.map((run) =>
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

function suiteView(suite: string, charts: Charts): HTMLElement {
  const drawn = h("div", { class: "charts" });
  const rows = table(data, suite, {
    onRows: (kept) => drawn.replaceChildren(...charts(kept, pick, data)),
    onPick: pick,
  });
  return h("div", {}, drawn, rows);
}

const has = (file: string) => data.runs.some((run) => (run.tables[file]?.rows.length ?? 0) > 0);
const views: readonly (readonly [string, boolean, () => HTMLElement])[] = [
  ["Overview", true, overview],
  ["Kernels", has("kernels"), () => suiteView("kernels", kernelCharts)],
  ["Collectives", has("collectives"), () => suiteView("collectives", collectiveCharts)],
  ["Schedules", has("schedules"), () => suiteView("schedules", scheduleCharts)],
  [
    "Timeline",
    data.runs.some((run) => run.timelines.length > 0),
    () => h("div", {}, data.runs.flatMap((run) => run.timelines.map(timeline))),
  ],
  ["Layouts", has("ranks"), () => h("div", {}, layoutView(data))],
  ["Plan", has("plan"), () => suiteView("plan", planCharts)],
  ["History", data.runs.length > 1, () => history(data, pick)],
];
const shown = views.filter(([, isThere]) => isThere);
const panels = shown.map(([name], i) =>
  h(
    "section",
    { id: `view-${i}`, class: "view", role: "tabpanel", "aria-label": name },
    h("h2", {}, name),
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
  h("header", {}, h("h1", {}, "shardbench"), bar),
  h("main", {}, panels),
  details,
);
open(0);
document.documentElement.dataset["ready"] = "true";
