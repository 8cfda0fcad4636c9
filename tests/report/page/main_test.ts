import { type FakeElement, page } from "./fake_document.ts";
import { assertEquals } from "@std/assert";
import type { PageRun } from "../../../report/page/data.ts";
import { pageOf, runOf } from "./page_rows.ts";

const ROW = { row_key: "k", status: "ok", label: "a row" };
const A = runOf("a", {
  kernels: [{ ...ROW, suite: "kernels", op: "add", tokens: "2", time_us_median: "4" }],
  collectives: [{ ...ROW, op: "all_reduce", message_bytes: "8", time_us_median: "3" }],
  schedules: [{ ...ROW, schedule: "step", output_tokens_per_s: "50" }],
  ranks: [{ rank: "0", data_parallel_rank: "0", pipeline_parallel_rank: "0" }],
  plan: [{ predicted_output_tokens_per_s: "5", measured_output_tokens_per_s: "6" }],
}, { timelines: [{ label: "a case", kinds: [], rows: [], sends: [], left: 0 }] });

const MAIN = "../../../report/page/main.ts";
let opened = 0;

/** The page of runs, opened as a browser does: with its own modules anew. */
async function open(...runs: readonly PageRun[]) {
  page.data = JSON.stringify(pageOf(runs));
  page.body.replaceChildren();
  page.window.listeners.clear();
  page.scheme.listeners.clear();
  page.root.dataset["ready"] = "";
  await import(`${MAIN}?${opened++}`);
  const [header, main, dialog] = page.body.children as FakeElement[];
  const [tabs, panels] = [header!.all("button"), main!.children as FakeElement[]];
  return {
    ...{ header: header!, main: main!, dialog: dialog!, tabs, panels },
    /** Which panels are open, which are made, and how tabs say so. */
    state: () => ({
      open: panels.flatMap(({ classes }, i) => classes.has("open") ? [i] : []),
      made: panels.flatMap(({ children }, i) => children.length > 1 ? [i] : []),
      selected: tabs.map(({ attributes }) => attributes.get("aria-selected") === "true" ? 1 : 0)
        .join(""),
      focusable: tabs.map(({ tabIndex }) => tabIndex).join(""),
    }),
  };
}

Deno.test("a page has a tab a view that has something to show, and makes a view when it is opened", async () => {
  const { header, main, dialog, tabs, panels, state } = await open(A);
  const names = ["Overview", "Kernels", "Collectives", "Schedules", "Timeline", "Layouts", "Plan"];
  assertEquals(tabs.map(({ textContent }) => textContent), names);
  assertEquals(
    panels.map(({ html }) => html).slice(1),
    [1, 2, 3, 4, 5, 6].map((i) =>
      `<section id=view-${i} class=view role=tabpanel aria-label=${names[i]}>` +
      `<h2>${names[i]}</h2></section>`
    ),
  );
  assertEquals(
    header.html.replaceAll(/<button.*<\/button>/g, "BUTTONS"),
    [
      "<header><h1>shardbench</h1><nav role=tablist aria-label=views>BUTTONS</nav></header>",
    ][0],
  );
  assertEquals(
    tabs[1]!.html,
    "<button type=button role=tab aria-controls=view-1 aria-selected=false>Kernels</button>",
  );
  assertEquals([main.tag, dialog.tag, page.root.dataset["ready"]], ["main", "dialog", "true"]);
  assertEquals(state(), { open: [0], made: [0], selected: "1000000", focusable: "0-1-1-1-1-1-1" });
  tabs[1]!.fire("click");
  tabs[1]!.fire("click");
  await Promise.resolve();
  assertEquals(state(), {
    ...{ open: [1], made: [0, 1], selected: "0100000", focusable: "-10-1-1-1-1-1" },
  });
  assertEquals(panels[1]!.children.length, 2, "made once");
  const titles = (i: number) => {
    tabs[i]!.fire("click");
    return panels[i]!.all("figcaption").map(({ textContent }) => textContent);
  };
  const charts = async (i: number) => {
    titles(i);
    await Promise.resolve();
    return titles(i);
  };
  assertEquals(await charts(1), [
    ...["Roofline", "Time by tokens", "Bandwidth by tokens"],
    "Speed-up over naive by shard size",
  ]);
  assertEquals((await charts(2)).length, 2);
  assertEquals(await charts(3), ["Tokens a second, and where the ranks' time went"]);
  assertEquals(titles(4), ["a case"]);
  assertEquals(titles(5), ["a: TP undefined x PP undefined x DP undefined"]);
  assertEquals(await charts(6), ["Plan against measurement"]);
  panels[1]!.all("tbody")[0]!.all("tr")[0]!.fire("click");
  assertEquals([dialog.isOpen, dialog.all("b")[0]!.textContent], [true, "a row"]);
});

Deno.test("arrows go to the next tab and the one before, round the ends; other keys and places do nothing", async () => {
  const { header, tabs, state } = await open(A);
  const [bar] = header.all("nav");
  const key = (key: string) => {
    bar!.fire("keydown", { key });
    return [state().open[0], tabs.indexOf(page.activeElement!)];
  };
  page.activeElement = undefined;
  assertEquals(key("ArrowRight"), [0, -1]);
  tabs[0]!.focus();
  assertEquals(key("ArrowRight"), [1, 1]);
  assertEquals(key("ArrowLeft"), [0, 0]);
  assertEquals(key("ArrowLeft"), [6, 6]);
  assertEquals(key("ArrowRight"), [0, 0]);
  assertEquals(key("Enter"), [0, 0]);
});

Deno.test("runs without rows have an overview alone; several runs have a history; printing makes all", async () => {
  const bare = await open({ ...runOf("b"), tables: { kernels: { headers: [], rows: [] } } });
  assertEquals(bare.tabs.map(({ textContent }) => textContent), ["Overview"]);
  const { tabs, state } = await open(runOf("b"), A);
  assertEquals(tabs.length, 8);
  assertEquals(tabs.at(-1)!.textContent, "History");
  assertEquals(state().made, [0]);
  page.window.fire("beforeprint");
  assertEquals(state().made, [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(state().open, [0]);
  const canvas = page.body.all("canvas")[0]!;
  assertEquals(canvas.width, 1400, "the timeline is drawn");
  canvas.width = 0;
  page.scheme.fire("change");
  assertEquals(canvas.width, 1400, "and drawn again in other colours");
});
