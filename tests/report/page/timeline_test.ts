import { fake, type FakeElement, layout, page } from "./fake_document.ts";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { PageTimeline } from "../../../report/page/data.ts";
import { redraw } from "../../../report/page/dom.ts";
import { timeline } from "../../../report/page/timeline.ts";

const CASE: PageTimeline = {
  label: "step pp=2",
  kinds: ["compute", "all_reduce", "send"],
  rows: [
    { name: "rank 0 dp0 pp0 tp0", spans: [[0, 500, 0, 7], [500, 100, 2, 7], [990, 10, 0, 8]] },
    { name: "a name of more than 26 characters", spans: [[600, 400, 0, 7]] },
  ],
  sends: [[550, 0, 600, 1], [700, 1, 750, 0]],
  left: 0,
};

/** A timeline as wide as 1150 pixels: a pixel a microsecond, from pixel 150 on. */
function drawn(shown: PageTimeline = CASE) {
  layout.width = 1150;
  const figure = fake(timeline(shown));
  layout.width = 0;
  const canvas = figure.all("canvas")[0]!;
  page.observed.get(canvas)!(1150);
  /** What was drawn since it was asked last, from and to which us. */
  const range = () => {
    const texts = canvas.drawn.filter(([name, text]) =>
      name === "fillText" && String(text).endsWith(" ms")
    );
    canvas.drawn.length = 0;
    return texts.slice(-5).map(([, text]) => String(text).replace(" ms", "")).join(" ");
  };
  return { figure, canvas, range };
}

const ALL = "0.00 0.25 0.50 0.75 1.00";

Deno.test("a timeline has its kinds as a legend, buttons, and says what is left out", () => {
  const mark = (name: string, color: string) =>
    `<li><span class=mark aria-hidden=true color=${color}>■</span> ${name}</li>`;
  const { figure } = drawn();
  const html = "<figure class=chart wide><figcaption>step pp=2</figcaption><div class=bar>" +
    ["zoom in", "zoom out", "left", "right", "all"]
      .map((text) => `<button type=button>${text}</button>`).join("") +
    "</div><canvas tabindex=0 role=img " +
    "aria-label=timeline of step pp=2: plus and minus zoom, arrows move height=80px></canvas>" +
    `<ul class=legend>${mark("compute", "#0072b2")}${mark("send", "#009e73")}</ul>` +
    "<p class=note>Host clock of each rank; the last repetition of the case; " +
    "numbers are batches, lines are sends.</p></figure>";
  assertEquals(figure.html, html);
  assertEquals(
    drawn({ ...CASE, left: 1 }).figure.html,
    html.replace("sends.</p>", "sends. 1 later spans are in timeline.json only.</p>"),
  );
});

Deno.test("a timeline draws its times, a row a rank, its spans with their batches, and sends", () => {
  const { canvas } = drawn();
  assertEquals([canvas.width, canvas.height], [2300, 160]);
  const row = (y: number) => [
    ["fillStyle=", "the page's --line"],
    ["fillRect", 150, y + 25, 1000, 1],
    ["save"],
    ["beginPath"],
    ["rect", 150, y, 1000, 26],
    ["clip"],
  ];
  const name = (text: string, y: number) => [
    ["restore"],
    ["fillStyle=", "the page's --ink"],
    ["fillText", text, 2, y + 16],
  ];
  const tick = (align: string, ms: string, x: number) => [
    ["textAlign=", align],
    ["fillText", `${ms} ms`, x, 12],
  ];
  assertEquals(canvas.drawn, [
    ["scale", 2, 2],
    ["font=", "11px system-ui, sans-serif"],
    ["fillStyle=", "the page's --ink"],
    ...tick("left", "0.00", 150),
    ...tick("center", "0.25", 400),
    ...tick("center", "0.50", 650),
    ...tick("center", "0.75", 900),
    ...tick("right", "1.00", 1150),
    ["textAlign=", "left"],
    ...row(22),
    ["fillStyle=", "#0072b2"],
    ["fillRect", 150, 24, 500, 21],
    ["fillStyle=", "#fff"],
    ["fillText", "7", 154, 38],
    ["fillStyle=", "#009e73"],
    ["fillRect", 650, 28, 100, 13],
    ["fillStyle=", "#0072b2"],
    ["fillRect", 1140, 24, 10, 21],
    ...name("rank 0 dp0 pp0 tp0", 22),
    ...row(48),
    ["fillStyle=", "#0072b2"],
    ["fillRect", 750, 50, 400, 21],
    ["fillStyle=", "#fff"],
    ["fillText", "7", 754, 64],
    ...name("a name of more than 26 ch…", 48),
    ["strokeStyle=", "the page's --ink"],
    ["globalAlpha=", 0.35],
    ["beginPath"],
    ["moveTo", 700, 44],
    ["lineTo", 750, 52],
    ["stroke"],
    ["beginPath"],
    ["moveTo", 850, 70],
    ["lineTo", 900, 26],
    ["stroke"],
  ]);
});

Deno.test("buttons, keys and the wheel zoom and move a timeline, never beyond its ends", () => {
  const { figure, canvas, range } = drawn();
  assertEquals(range(), ALL);
  const after = (act: () => void) => {
    act();
    return range();
  };
  const press = (text: string) => after(() => figure.press(text));
  const key = (key: string) => after(() => canvas.fire("keydown", { key }));
  assertEquals(press("zoom in"), "0.20 0.35 0.50 0.65 0.80");
  assertEquals(press("left"), "0.02 0.17 0.32 0.47 0.62");
  assertEquals(press("left"), "0.00 0.15 0.30 0.45 0.60");
  assertEquals(press("right"), "0.18 0.33 0.48 0.63 0.78");
  assertEquals(press("right"), "0.36 0.51 0.66 0.81 0.96");
  assertEquals(press("right"), "0.40 0.55 0.70 0.85 1.00");
  assertEquals(press("all"), ALL);
  assertEquals(key("+"), "0.15 0.33 0.50 0.68 0.85");
  assertEquals(press("zoom out"), ALL);
  assertEquals(key("="), "0.15 0.33 0.50 0.68 0.85");
  assertEquals(key("ArrowLeft"), "0.01 0.18 0.36 0.54 0.71");
  assertEquals(key("ArrowRight"), "0.15 0.33 0.50 0.68 0.85");
  assertEquals(key("-"), "0.01 0.26 0.50 0.74 0.99");
  assertEquals(key("a"), "");
  press("all");
  let prevented = 0;
  const wheel = (deltaY: number, offsetX: number) =>
    after(() => canvas.fire("wheel", { deltaY, offsetX, preventDefault: () => prevented++ }));
  // What is under the pointer stays there: 250 us.
  assertEquals(wheel(-1, 400), "0.05 0.25 0.45 0.65 0.85");
  assertEquals(wheel(1, 400), ALL);
  assertEquals(wheel(0, 1150), "0.20 0.40 0.60 0.80 1.00");
  press("all");
  press("zoom in");
  assertEquals(wheel(-1, 650), "0.26 0.38 0.50 0.62 0.74");
  press("all");
  press("zoom in");
  assertEquals(wheel(1, 650), "0.13 0.31 0.50 0.69 0.88");
  assertEquals(prevented, 5);
  press("all");
  press("zoom in");
  figure.press("left");
  figure.press("left");
  const [, start] = canvas.drawn.findLast(([name, , y]) => name === "fillRect" && y === 24)!;
  assertEquals(start, 150, "the first span starts where the first row does");
  press("all");
  wheel(0, 1150);
  press("zoom in");
  const drag = (buttons: number) =>
    after(() => canvas.fire("mousemove", { buttons, movementX: 500, offsetX: 0, offsetY: 0 }));
  assertEquals(drag(0), "");
  assertEquals(drag(1), "0.12 0.24 0.36 0.48 0.60");
});

Deno.test("a timeline zooms in to a hundred thousandth of its length", () => {
  const { figure, range } = drawn({
    ...CASE,
    rows: [{ name: "rank 0", spans: [[0, 1e9, 0, 0]] }],
    sends: [],
  });
  for (let i = 0; i < 40; i++) figure.press("zoom in");
  const shown = range().split(" ").map(Number);
  assertAlmostEquals(shown[4]! - shown[0]!, 10, 0.02);
});

Deno.test("spans and sends outside of what is shown are not drawn, short ones are seen", () => {
  const { figure, canvas, range } = drawn({
    ...CASE,
    rows: [{ name: "rank 0", spans: [[0, 199, 1, 0], [500, 0, 1, 0], [801, 199, 1, 0]] }],
    sends: [[0, 0, 199, 0], [801, 0, 900, 0], [0, 0, 200, 0], [800, 0, 900, 0]],
  });
  range();
  figure.press("zoom in");
  const ends = canvas.drawn.filter(([name]) => name === "moveTo" || name === "lineTo");
  const x = (us: number) => 150 + (us - 200) / 600 * 1000;
  assertEquals(
    ends.map(([, at]) => Math.round(Number(at))),
    [0, 200, 800, 900].map(x).map(Math.round),
  );
  const spans = canvas.drawn.filter(([name, , y]) => name === "fillRect" && y === 28);
  assertEquals(spans.map(([, at, , width]) => [at, width]), [[650, 0.5]]);
  // Spans that end or start at an end of what is shown are drawn.
  const edge = drawn({
    ...CASE,
    rows: [{ name: "rank 0", spans: [[0, 200, 1, 0], [800, 200, 1, 0]] }],
    sends: [],
  });
  edge.range();
  edge.figure.press("zoom in");
  assertEquals(
    edge.canvas.drawn.filter(([name, , y]) => name === "fillRect" && y === 28).length,
    2,
  );
});

Deno.test("hovering says what a rank does; a view that is hidden is drawn as wide as paper", () => {
  const { canvas } = drawn();
  const tip = () => (page.body.children as FakeElement[]).find(({ hidden }) => !hidden)?.html;
  const hover = (offsetX: number, offsetY: number) => {
    canvas.fire("mousemove", { buttons: 0, offsetX, offsetY, clientX: 10, clientY: 20 });
    return tip();
  };
  const lines = (...texts: string[]) =>
    `<div class=tip role=status left=24px top=34px>${
      texts.map((text) => `<div>${text}</div>`).join("")
    }</div>`;
  const first = lines("rank 0 dp0 pp0 tp0", "compute, batch 7", "0.500 ms");
  assertEquals(hover(150, 22), first);
  assertEquals(hover(650, 47), first, "the first of two that meet");
  assertEquals(hover(651, 47), lines("rank 0 dp0 pp0 tp0", "send, batch 7", "0.100 ms"));
  assertEquals(hover(750, 48), lines(CASE.rows[1]!.name, "compute, batch 7", "0.400 ms"));
  assertEquals(hover(749, 48), undefined);
  assertEquals(hover(750, 74), undefined);
  assertEquals(hover(200, 21), undefined);
  hover(150, 22);
  canvas.fire("mouseleave");
  assertEquals(tip(), undefined);
  canvas.clientWidth = 0;
  page.body.append(canvas);
  redraw();
  assertEquals(canvas.width, 1400);
  canvas.remove();
});

Deno.test("wide spans have their batch, those of 22 pixels and less have not; names of 26 are whole", () => {
  const name = "x".repeat(26);
  const { canvas } = drawn({
    ...CASE,
    rows: [{ name, spans: [[0, 22, 0, 1], [100, 23, 0, 2], [200, 100, 1, 3], [999, 1, 0, 4]] }],
    sends: [],
  });
  const texts = canvas.drawn.filter(([name, , , y]) => name === "fillText" && y !== 12);
  assertEquals(texts, [["fillText", "2", 254, 38], ["fillText", name, 2, 38]]);
  const long = drawn({ ...CASE, rows: [{ name: `${name}y`, spans: [] }], sends: [] });
  assertEquals(long.canvas.drawn.at(-3)![1], `${"x".repeat(25)}…`);
  // A case without spans is as long as a microsecond.
  const empty = drawn({ ...CASE, rows: [], sends: [] });
  assertEquals(empty.range(), "0.00 0.00 0.00 0.00 0.00");
});
