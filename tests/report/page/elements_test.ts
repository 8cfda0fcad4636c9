import { fake, FakeElement, layout, page } from "./fake_document.ts";
import { assertEquals } from "@std/assert";
import { colour, colourMark, legend, styleColour } from "../../../report/page/colours.ts";
import {
  button,
  choosable,
  h,
  headedTable,
  hint,
  note,
  penOn,
  redraw,
  redrawn,
  wideFigure,
} from "../../../report/page/dom.ts";
import { overview } from "../../../report/page/overview.ts";
import { rowDetails } from "../../../report/page/row_details.ts";
import { pageOf, rowsLike, runOf } from "./page_rows.ts";

const html = (element: HTMLElement) => fake(element).html;

Deno.test("elements have attributes where there are any, texts, lists and elements as children", () => {
  assertEquals(html(h("p")), "<p></p>");
  assertEquals(html(h("p", "a", undefined, false, "", "b")), "<p>ab</p>");
  assertEquals(html(h("p", h("b", "x"), "y")), "<p><b>x</b>y</p>");
  assertEquals(html(h("p", ["a", h("i")], "b")), "<p>a<i></i>b</p>");
  assertEquals(
    html(h("p", { id: "i", tabindex: 0, open: true, hidden: false }, "a", ["b"])),
    "<p id=i tabindex=0 open=>ab</p>",
  );
  let events = 0;
  const element = fake(h("p", { onclick: () => events++ }));
  assertEquals([element.html, [...element.listeners.keys()]], ["<p></p>", ["click"]]);
  element.fire("click");
  assertEquals(events, 1);
});

Deno.test("figures, notes, buttons, headed tables and legends are built of such elements", () => {
  assertEquals(
    html(wideFigure("what", "a", h("b"))),
    "<figure class=chart wide><figcaption>what</figcaption>a<b></b></figure>",
  );
  assertEquals(html(note("why")), "<p class=note>why</p>");
  let presses = 0;
  const pressed = fake(button("go", () => presses++));
  pressed.fire("click");
  assertEquals([pressed.html, presses], ["<button type=button>go</button>", 1]);
  assertEquals(
    html(headedTable([["a", h("td", "1"), h("td", "2")], ["b"]])),
    "<table><tbody><tr><th scope=row>a</th><td>1</td><td>2</td></tr>" +
      "<tr><th scope=row>b</th></tr></tbody></table>",
  );
  assertEquals(
    html(legend([{ mark: colourMark("■", 1), name: "one" }])),
    "<ul class=legend><li><span class=mark aria-hidden=true color=#d55e00>■</span> one</li></ul>",
  );
  assertEquals([0, 6, 7, 8].map(colour), ["#0072b2", "#7f7f7f", "#0072b2", "#d55e00"]);
  assertEquals(styleColour("--ink"), "the page's --ink");
});

Deno.test("a click and Enter choose an element, no other key", () => {
  let chosen = 0;
  const row = fake(h("tr", choosable(() => chosen++)));
  assertEquals(row.html, "<tr tabindex=0></tr>");
  row.fire("click");
  row.fire("keydown", { key: "Enter" });
  row.fire("keydown", { key: " " });
  assertEquals(chosen, 2);
});

Deno.test("a pen draws in CSS pixels, as sharp as the screen is", () => {
  const canvas = new FakeElement("canvas");
  const onCanvas = () => penOn(canvas as unknown as HTMLCanvasElement, { width: 30, height: 20 });
  onCanvas();
  assertEquals([canvas.width, canvas.height, canvas.drawn], [60, 40, [["scale", 2, 2]]]);
  Object.assign(globalThis, { devicePixelRatio: 0 });
  onCanvas();
  Object.assign(globalThis, { devicePixelRatio: 2 });
  assertEquals([canvas.width, canvas.height, canvas.drawn[1]], [30, 20, ["scale", 1, 1]]);
});

Deno.test("a hint stands beside the pointer, within the window, and hides without lines", () => {
  hint(["a", "b"], { x: 100, y: 50 });
  const tips = () => page.body.children as FakeElement[];
  const [tip] = tips();
  assertEquals(
    tip!.html,
    "<div class=tip role=status left=114px top=64px><div>a</div><div>b</div></div>",
  );
  assertEquals(tip!.hidden, false);
  Object.assign(tip!, { offsetWidth: 200, offsetHeight: 100 });
  hint(["c"], { x: 700, y: 590 });
  assertEquals([tip!.style["left"], tip!.style["top"]], ["592px", "492px"]);
  tip!.offsetWidth = 900;
  hint(["c"], { x: 700, y: 590 });
  assertEquals(tip!.style["left"], "4px");
  hint([]);
  assertEquals([tip!.hidden, tip!.children, tip!.style["left"], tips().length], [
    true,
    [],
    "4px",
    1,
  ]);
});

Deno.test("what is on the page is drawn again, what has left it is forgotten", () => {
  const drawn: string[] = [];
  const [there, gone] = [new FakeElement("canvas"), new FakeElement("canvas")];
  redrawn(there as unknown as Element, () => drawn.push("there"));
  redrawn(gone as unknown as Element, () => drawn.push("gone"));
  page.body.append(there);
  redraw();
  page.body.append(gone);
  redraw();
  there.remove();
  gone.remove();
  assertEquals(drawn, ["there", "there"]);
});

Deno.test("the overview counts rows of every suite of each run, and warns", () => {
  const a = runOf("a", {
    kernels: ["ok", "wrong", "skipped"].map((status) => ({ status })),
    schedules: ["failed", "skipped", "skipped", "ok"].map((status) => ({ status })),
    ranks: [{ rank: "0" }],
  }, { about: [["CPU", "fast"], ["Deno", "2"]], warnings: ["hot", "old"] });
  const b = runOf("b", {}, { warnings: ["one"] });
  const card = (inside: string) => `<section class=card>${inside}</section>`;
  const table = (inside: string) => `<table><tbody>${inside}</tbody></table>`;
  assertEquals(
    html(overview(pageOf([a, b, runOf("c")]))),
    `<div class=runs>${
      card(
        "<h3>a</h3><p>7 rows, 2 wrong or failed, 3 skipped; started a's start</p>" +
          "<ul class=warnings><li>hot</li><li>old</li></ul>" + table(
            "<tr><th scope=row>CPU</th><td>fast</td></tr><tr><th scope=row>Deno</th><td>2</td></tr>",
          ),
      )
    }${
      card(
        "<h3>b</h3><p>0 rows, 0 wrong or failed, 0 skipped; started b's start</p>" +
          "<ul class=warnings><li>one</li></ul>" + table(""),
      )
    }${
      card(
        "<h3>c</h3><p>0 rows, 0 wrong or failed, 0 skipped; started c's start</p>" + table(""),
      )
    }</div>`,
  );
});

Deno.test("a row's dialog has its cells with their meaning, and its samples as dots and numbers", () => {
  const run = runOf("a", {}, {
    samples: {
      k: {
        gpu_us: { count: 4, values: [1.23456, 3.23456, 2.23456, 2.73456] },
        round: { count: 500, values: [7] },
      },
    },
  });
  const data = pageOf([run], { kernels: { op: ["", "what is done"], us: ["us", "its time"] } });
  const [row, bare] = rowsLike([
    { label: "a row", suite: "kernels", row_key: "k", op: "add", us: "2" },
    { label: "bare", op: "x" },
  ], run);
  const { dialog, show } = rowDetails(data);
  const made = fake(dialog);
  assertEquals([made.html, made.isOpen], [
    "<dialog aria-label=a row and its samples></dialog>",
    false,
  ]);
  layout.width = 110;
  show(row!);
  layout.width = 0;
  const bar = (name: string) =>
    `<div class=bar><b>${name}</b><button type=button>close</button></div>`;
  const line = (name: string, value: string, meaning: string) =>
    `<tr><th scope=row>${name}</th><td>${value}</td><td class=quiet>${meaning}</td></tr>`;
  const series = (title: string, values: string) =>
    `<section><h4>${title}, in the order in which they were taken</h4>` +
    `<canvas class=strip aria-hidden=true></canvas><p class=samples>${values}</p></section>`;
  assertEquals(
    made.html,
    `<dialog aria-label=a row and its samples>${bar("a row")}${
      series("gpu_us: 4 samples", "1.235 3.235 2.235 2.735")
    }${series("round: 1 of 500 samples, evenly picked", "7")}<table><tbody>${
      line("suite", "kernels", "") + line("row_key", "k", "") +
      line("op", "add", "; what is done") + line("us", "2", "us; its time")
    }</tbody></table></dialog>`,
  );
  assertEquals(made.isOpen, true);
  made.press("close");
  assertEquals(made.isOpen, false);
  const dots = made.all("canvas").map(({ width, height, drawn }) => [width, height, ...drawn]);
  assertEquals(dots, [
    [
      220,
      180,
      ["scale", 2, 2],
      ["fillStyle=", "#0072b2"],
      ["fillRect", 4, 84, 3, 3],
      ["fillRect", 29, 6, 3, 3],
      ["fillRect", 54, 45, 3, 3],
      ["fillRect", 79, 25.5, 3, 3],
    ],
    // One sample stands in the middle.
    [220, 180, ["scale", 2, 2], ["fillStyle=", "#0072b2"], ["fillRect", 4, 45, 3, 3]],
  ]);
  show(bare!);
  assertEquals(
    made.html,
    `<dialog aria-label=a row and its samples>${bar("bare")}<table><tbody>${
      line("op", "x", "")
    }</tbody></table></dialog>`,
  );
});
