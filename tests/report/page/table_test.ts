import { fake, type FakeElement } from "./fake_document.ts";
import { assertEquals } from "@std/assert";
import { h } from "../../../report/page/dom.ts";
import type { PageData, Row } from "../../../report/page/data.ts";
import { suiteView } from "../../../report/page/suite_view.ts";
import { pageOf, runOf } from "./page_rows.ts";

/** The view of kernels, and what it told. */
async function viewOf(data: PageData) {
  const picked: Row[] = [];
  const drawn: (readonly Row[])[] = [];
  const view = fake(suiteView("kernels", (rows) => {
    drawn.push(rows);
    return [h("figure", `${rows.length} rows`)];
  }, { data, onPick: (row) => picked.push(row) }));
  const before = drawn.length;
  await Promise.resolve();
  const body = view.all("tbody")[0]!;
  return {
    ...{ view, picked, drawn, before, body },
    status: () => view.all("span")[0]!.textContent,
    /** The cells of a column. */
    column: (place: number) =>
      body.all("tr").map((line) => (line.children[place] as FakeElement).textContent),
    filter: (place: number, value: string) => {
      const input = view.all("input")[place]!;
      input.value = value;
      input.fire("input");
    },
  };
}

Deno.test("a table has a filter a column, headers that say what they mean, and a line a row", async () => {
  const kernels = [
    { op: "add", us: "1", status: "ok" },
    { op: "gemm", us: "2", status: "wrong" },
    { op: "gemv", us: "3", status: "failed" },
    { op: "norm", us: "", status: "skipped" },
  ];
  const { view, before, drawn, picked, body } = await viewOf(
    pageOf([runOf("a", { kernels })], { kernels: { us: ["us", "its time"] } }),
  );
  assertEquals([before, drawn.length, drawn[0]!.length], [0, 1, 4]);
  const header = (name: string, title = "") =>
    `<th scope=col title=${title}><button type=button>${name}</button></th>`;
  const filter = (name: string) =>
    "<th><input type=search placeholder=filter " +
    `aria-label=filter ${name}: a text, =text, <number or >number></input></th>`;
  const line = (kind: string, ...cells: string[]) =>
    `<tr tabindex=0 class=${kind}>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  assertEquals(
    view.html,
    "<div><div class=charts><figure>4 rows</figure></div><section class=rows><div class=bar>" +
      "<button type=button>previous</button><button type=button>next</button>" +
      "<span class=quiet role=status>4 of 4 rows, page 1 of 1</span></div>" +
      `<div class=scroll><table><thead><tr>${header("op")}${header("us", "us; its time")}${
        header("status")
      }</tr><tr class=filters>${filter("op")}${filter("us")}${filter("status")}</tr></thead>` +
      `<tbody>${line("", "add", "1", "ok")}${line("wrong", "gemm", "2", "wrong")}${
        line("wrong", "gemv", "3", "failed")
      }${line("skipped", "norm", "", "skipped")}</tbody></table></div></section></div>`,
  );
  body.all("tr")[1]!.fire("click");
  body.all("tr")[2]!.fire("keydown", { key: "Enter" });
  assertEquals(picked.map(({ cells }) => cells["op"]), ["gemm", "gemv"]);
});

Deno.test("filters leave rows to the table and to its charts, until they are blank", async () => {
  const kernels = [{ op: "add", us: "1" }, { op: "gemm", us: "20" }, { op: "gemv", us: "3" }];
  const { view, drawn, filter, status, column } = await viewOf(pageOf([runOf("a", { kernels })]));
  filter(0, "gem");
  assertEquals([column(0), status()], [["gemm", "gemv"], "2 of 3 rows, page 1 of 1"]);
  filter(1, ">3");
  assertEquals([column(0), view.all("figure")[0]!.textContent], [["gemm"], "1 rows"]);
  filter(0, "none");
  assertEquals([column(0), status()], [[], "0 of 3 rows, page 1 of 1"]);
  filter(0, "");
  filter(1, "");
  assertEquals(column(0), ["add", "gemm", "gemv"]);
  assertEquals(drawn.map((rows) => rows.length), [3, 2, 1, 0, 1, 3]);
});

Deno.test("a header sorts up, then down; numbers as numbers, texts as texts, equal ones as they were", async () => {
  const kernels = ["10", "", "9", "b", "a", "9"].map((us, i) => ({ us, n: `${i}` }));
  const { view, drawn, column } = await viewOf(pageOf([runOf("a", { kernels })]));
  view.press("n");
  view.press("n");
  assertEquals(column(1), ["5", "4", "3", "2", "1", "0"]);
  view.press("n");
  assertEquals(column(1), ["0", "1", "2", "3", "4", "5"]);
  assertEquals(
    drawn.at(-1)!.map(({ cells }) => cells["n"]),
    ["0", "1", "2", "3", "4", "5"],
    "charts have them in the order of the file",
  );
  const sorted = async (...cells: string[]) => {
    const rows = cells.map((us, i) => ({ us, n: `${i}` }));
    const table = await viewOf(pageOf([runOf("a", { kernels: rows })]));
    table.view.press("us");
    const up = table.column(1).join("");
    table.view.press("n");
    table.view.press("us");
    assertEquals(table.column(1).join(""), up, "another header starts anew");
    table.view.press("us");
    return [up, table.column(1).join("")];
  };
  assertEquals(await sorted("10", "9", "9", "100"), ["1203", "3012"]);
  assertEquals(await sorted("b", "a", "c", "a"), ["1302", "2013"]);
  assertEquals(await sorted("10", "", "9"), ["120", "021"]);
  assertEquals(await sorted("10", "9x"), ["01", "10"]);
  assertEquals(await sorted("9x", "10"), ["10", "01"]);
  assertEquals(await sorted("", "5"), ["01", "10"]);
  assertEquals(await sorted("-1", ""), ["10", "01"]);
});

Deno.test("a hundred rows a page, turned no further than the first and the last one", async () => {
  const kernels = Array.from({ length: 201 }, (_, i) => ({ n: `${i}` }));
  const { view, status, column, filter } = await viewOf(pageOf([runOf("a", { kernels })]));
  const shown = () => [status(), column(0)[0], column(0).at(-1)];
  const rows = "201 of 201 rows, page";
  assertEquals(shown(), [`${rows} 1 of 3`, "0", "99"]);
  view.press("previous");
  assertEquals(shown(), [`${rows} 1 of 3`, "0", "99"]);
  view.press("next");
  assertEquals(shown(), [`${rows} 2 of 3`, "100", "199"]);
  view.press("next");
  view.press("next");
  assertEquals(shown(), [`${rows} 3 of 3`, "200", "200"]);
  view.press("previous");
  assertEquals(shown(), [`${rows} 2 of 3`, "100", "199"]);
  view.press("next");
  filter(0, "<200");
  assertEquals(shown(), ["200 of 201 rows, page 1 of 2", "0", "99"]);
});

Deno.test("rows of several runs say of which one they are", async () => {
  const runs = ["a", "b"].map((name) => runOf(name, { kernels: [{ op: "add" }] }));
  const { view, column, filter } = await viewOf(pageOf(runs));
  assertEquals(view.all("button").map((one) => one.textContent), ["previous", "next", "run", "op"]);
  assertEquals(column(0), ["a", "b"]);
  filter(0, "=b");
  assertEquals(column(0), ["b"]);
});
