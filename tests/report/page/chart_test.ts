import { fake, type FakeElement, page } from "./fake_document.ts";
import { assertEquals } from "@std/assert";
import { chart, type Plot } from "../../../report/page/chart.ts";
import type { Row } from "../../../report/page/data.ts";
import { redraw } from "../../../report/page/dom.ts";
import { history } from "../../../report/page/history.ts";
import { pageOf, rowsLike, runOf } from "./page_rows.ts";

const ROWS = rowsLike(["a", "b", "c"].map((label) => ({ label })));
const point = (x: number, y: number, row?: Row) => ({ x, y, ...(row && { row }) });

const PLOT: Plot = {
  title: "a title",
  note: "why",
  x: "tokens",
  y: "us",
  series: [
    { name: "empty", how: "both", points: [] },
    { name: "joined", how: "both", points: [point(1, 50, ROWS[0]), point(3, 100, ROWS[1])] },
    { name: "alone", how: "points", points: [point(2, 30, ROWS[2])] },
    { name: "roof", how: "line", points: [point(1, 80), point(3, 80)] },
  ],
  describe: ({ label }) => [`row ${label}`],
};

/** A chart that got a width, and what was picked in it. */
async function drawn(plot: Plot, width = 700) {
  const picked: string[] = [];
  const figure = fake(chart(plot, (row) => picked.push(row.label)));
  const box = figure.all("div")[0]!;
  const resize = async (width: number) => {
    box.clientWidth = width;
    page.observed.get(box)!(width);
    await settled();
  };
  await resize(width);
  const over = () => figure.all("div").find(({ classes }) => classes.has("u-over"))!;
  /** A pen's calls of some names. */
  const calls = (...names: string[]) =>
    figure.all("canvas")[0]!.drawn.filter(([name]) => names.includes(String(name)));
  const texts = () => calls("fillText").map(([, text]) => text).filter((text) => text !== "");
  return { picked, figure, box, resize, over, calls, texts };
}

/** uPlot draws when it is its turn. */
async function settled() {
  await new Promise((resolve) => queueMicrotask(() => queueMicrotask(() => resolve(undefined))));
}

Deno.test("a chart says its title and note, and of each series that has points its colour and dash", () => {
  const mark = (dash: string, color: string, name: string) =>
    `<li><span class=mark aria-hidden=true color=${color}>${dash}</span> ${name}</li>`;
  assertEquals(
    fake(chart(PLOT, () => {})).html,
    "<figure class=chart><figcaption>a title</figcaption>" +
      "<div class=plot role=img aria-label=a title: why></div><ul class=legend>" +
      mark("━━", "#0072b2", "joined") + mark("╍╍", "#d55e00", "alone") +
      mark("┅┅", "#009e73", "roof") + "</ul><p class=note>why</p></figure>",
  );
  assertEquals(
    fake(chart({ ...PLOT, series: PLOT.series.slice(0, 1) }, () => {})).html,
    "<figure class=chart><figcaption>a title</figcaption><p class=quiet>Nothing to show.</p></figure>",
  );
});

Deno.test("of many series no two have the same colour and dash", () => {
  const series = Array.from({ length: 49 }, (_, i) => ({
    ...{ name: `${i}`, how: "both" as const, points: [point(1, 1)] },
  }));
  const marks = fake(chart({ ...PLOT, series }, () => {})).all("span");
  assertEquals(new Set(marks.map(({ html }) => html)).size, 49);
  assertEquals(
    marks.map(({ textContent }) => textContent).slice(0, 16),
    [
      "━━",
      "╍╍",
      "┅┅",
      "━╍",
      "╌╌",
      "┈┈",
      "━ ",
      "╍╍",
      "┅┅",
      "━╍",
      "╌╌",
      "┈┈",
      "━ ",
      "━━",
      "┅┅",
      "━╍",
    ],
  );
});

Deno.test("lines differ in their dashes", async () => {
  const series = Array.from({ length: 7 }, (_, i) => ({
    ...{ name: `${i}`, how: "line" as const, points: [point(1, 1 + i), point(2, 1 + i)] },
  }));
  const { calls } = await drawn({ ...PLOT, series });
  assertEquals(calls("setLineDash").map(([, dash]) => dash).slice(1), [
    ...[[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4], [12, 2]],
  ]);
});

Deno.test("a chart draws points and lines on axes with their names, from zero to a little above", async () => {
  const { texts, calls, box, over } = await drawn(PLOT);
  const canvas = box.all("canvas")[0]!;
  // 700 wide, 0.55 of that high but 340 at most; twice as many pixels.
  assertEquals([canvas.width, canvas.height], [1400, 680]);
  assertEquals(texts(), [
    ...["tokens", "1", "1.2", "1.4", "1.6", "1.8", "2", "2.2", "2.4", "2.6", "2.8", "3"],
    ...["us", "0", "20", "40", "60", "80", "100"],
  ]);
  assertEquals(
    calls("fillText", "translate").filter((call) => call[1] === "tokens" || call[1] === 44),
    [
      ["fillText", "tokens", 761, 636],
      ["translate", 44, 285],
    ],
  );
  // 100 us is at 100 / 108 of the height, from 536 up to 34; tokens go from 172 to 1350.
  const dot = (x: number, y: number) => [["moveTo", x + 5.76, y], ["arc", x, y, 5.76]];
  const dots = [...dot(172, 304), ...dot(1350, 71)];
  assertEquals(calls("stroke", "fill").filter((call) => call.length > 1), [
    ["stroke", ["lineTo", 172, 304], ["lineTo", 1350, 71]],
    ["fill", ...dots],
    ["stroke", ...dots],
    ["fill", ...dot(761, 397)],
    ["stroke", ...dot(761, 397)],
    ["stroke", ["lineTo", 172, 164], ["lineTo", 1350, 164]],
  ]);
  assertEquals(calls("lineWidth=", "setLineDash", "clip").map(([, value]) => value), [
    ...[2, []],
    ...[3.2, [], undefined, 2.48, [], undefined],
    ...[undefined],
    ...[3.2, [2, 3], undefined],
  ]);
  assertEquals(
    calls("strokeStyle=", "fillStyle=").map(([, color]) =>
      String(color).replace("the page's ", "")
    ),
    [
      ...["--ink", "--line", "--line", "--ink", "--line"],
      ...["#0072b2", "#0000", "#0072b2", "#d55e00", "#d55e00", "#009e73", "#0000"],
    ],
  );
  // Neither a legend of its own, nor points at the cursor, nor what a drag selects.
  for (const name of ["mousedown", "mousemove"]) {
    const [clientX, clientY] = name === "mousemove" ? [300, 150] : [100, 100];
    over().fire(name, { button: 0, clientX, clientY });
  }
  const [inside, below] = ["left=86px", "top=17px width=589px height=251px"];
  assertEquals(
    box.html,
    "<div class=plot role=img aria-label=a title: why><div classes=uplot u-hz>" +
      `<div classes=u-wrap width=700px height=340px><div classes=u-under ${inside} ${below}></div>` +
      `<canvas></canvas><div classes=u-over ${inside} ${below}>` +
      "<div classes=u-cursor-x transform=translate(300px,0px)></div>" +
      "<div classes=u-cursor-y transform=translate(0px,150px)></div>" +
      "<div classes=u-select left=0px width=0px top=0px height=0px></div></div>" +
      "<div classes=u-axis top=268px height=50px left=86px width=589px></div>" +
      "<div classes=u-axis left=22px width=64px top=17px height=251px></div></div></div></div>",
  );
});

Deno.test("a logarithmic axis has decades side by side", async () => {
  const series = [{
    ...{ name: "s", how: "both" as const },
    points: [point(1, 1), point(10, 100), point(1000, 10)],
  }];
  const { calls } = await drawn({ ...PLOT, series, logX: true, logY: true });
  assertEquals(calls("stroke").find((call) => call.length > 1), [
    ...["stroke"],
    ["lineTo", 172, 536],
    ["lineTo", 565, 34],
    ["lineTo", 1350, 285],
  ]);
});

Deno.test("the nearest point under the pointer is described, and picked by a click", async () => {
  const series = [
    {
      ...{ name: "s", how: "both" as const },
      points: [point(1, 50, ROWS[0]), point(1.05, 50, ROWS[1]), point(3, 100, ROWS[2])],
    },
    { name: "roof", how: "line" as const, points: [point(1, 0.1), point(3, 0.1)] },
  ];
  const { over, picked } = await drawn({ ...PLOT, series });
  const tip = () =>
    (page.body.children as FakeElement[]).find(({ hidden }) => !hidden)?.textContent ?? "";
  const hover = (clientX: number, clientY: number) => {
    over().fire("mousemove", { clientX, clientY, button: 0, buttons: 0 });
    const said = tip();
    over().fire("click", { clientX, clientY, button: 0 });
    return [said, picked.splice(0).join()];
  };
  // Rows are at (0, 135), (15, 135) and (589, 18) of the plot; the roof has none.
  assertEquals(hover(5, 135), ["row a", "a"]);
  assertEquals(hover(10, 135), ["row b", "b"]);
  assertEquals(hover(589, 18), ["row c", "c"]);
  assertEquals(hover(562, 18), ["row c", "c"]);
  assertEquals(hover(560, 18), ["", ""]);
  assertEquals(hover(589, 45), ["row c", "c"]);
  assertEquals(hover(589, 47), ["", ""]);
  assertEquals(hover(589, 250), ["", ""]);
  hover(5, 135);
  const [tipElement] = page.body.children as FakeElement[];
  assertEquals([tipElement!.style["left"], tipElement!.style["top"]], ["19px", "149px"]);
  over().fire("mouseleave");
  assertEquals(tip(), "");
});

Deno.test("a chart is as wide as there is room, drawn again when that changes, or when all are", async () => {
  const { box, resize } = await drawn(PLOT, 0);
  const size = () => box.all("canvas").map(({ width, height }) => [width / 2, height / 2]);
  assertEquals(size(), [], "it cannot be seen");
  await resize(500);
  assertEquals(size(), [[500, 275]]);
  const [first] = box.all("canvas");
  await resize(502);
  assertEquals(box.all("canvas")[0] === first, true);
  await resize(503);
  assertEquals(size(), [[503, 276.5]]);
  await resize(0);
  assertEquals(size(), [[503, 276.5]]);
  await resize(200);
  assertEquals(size(), [[280, 220]]);
  await resize(1);
  assertEquals(box.dataset["width"], "1");
  page.body.append(box);
  box.clientWidth = 0;
  redraw();
  await settled();
  assertEquals(size(), [[640, 340]]);
  box.remove();
});

Deno.test("history shows a suite's numeric column, the median time at first, and others when chosen", () => {
  const row = {
    row_key: "1",
    label: "a row",
    status: "ok",
    bytes: "5",
    zero: "0",
    time_us_median: "7",
  };
  const runs = ["a", "b"].map((name) =>
    runOf(name, { kernels: [row], schedules: [{ wall_ms: "3" }] })
  );
  const view = fake(history({ data: pageOf(runs), onPick() {} }));
  const [suite, column] = view.all("select");
  const shown = () => view.all("figcaption")[0]!.textContent;
  assertEquals(
    view.html.slice(0, view.html.indexOf("<figure")),
    "<section><div class=bar><select aria-label=suite><option>kernels</option>" +
      "<option>schedules</option></select><select aria-label=column><option>row_key</option>" +
      "<option>bytes</option><option>time_us_median</option></select></div><div>",
  );
  assertEquals([column!.value, shown()], ["time_us_median", "time_us_median over runs"]);
  column!.value = "bytes";
  column!.fire("change");
  assertEquals(shown(), "bytes over runs");
  suite!.value = "schedules";
  suite!.fire("change");
  assertEquals([column!.value, shown()], ["wall_ms", "wall_ms over runs"]);
  const [only] = [row].map(({ time_us_median: _time, ...rest }) => runOf("a", { kernels: [rest] }));
  const first = fake(history({ data: pageOf([only!]), onPick() {} }));
  assertEquals(first.all("select")[1]!.value, "row_key", "the first one");
  assertEquals(
    fake(history({ data: pageOf([]), onPick() {} })).html,
    "<section><div class=bar><select aria-label=suite></select>" +
      "<select aria-label=column></select></div><div></div></section>",
  );
});
