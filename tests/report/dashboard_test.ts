import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { buildPage } from "../../_tools/build_page.ts";
import { readRows } from "../../records/files/csv_rows.ts";
import { dashboardHtml } from "../../report/dashboard.ts";
import { pageData } from "../../report/page_data.ts";
import { shardbench } from "../cli/shardbench.ts";
import { Browser, CHROMIUM } from "./browser.ts";
import { syntheticRun } from "./synthetic_run.ts";

async function inTemporary(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const browser = {
  ignore: CHROMIUM === undefined,
  name: (name: string) =>
    CHROMIUM ? name : `${name} (ignored: there is no Chromium; ./setup --with-browser installs it)`,
};

/** Opens every tab, and says what went wrong. */
async function visitAll(page: Browser): Promise<readonly string[]> {
  const names = String(
    await page.run("[...document.querySelectorAll('[role=tab]')].map((t) => t.textContent).join()"),
  ).split(",");
  for (const i of names.keys()) {
    await page.run(`document.querySelectorAll('[role=tab]')[${i}].click()`);
    await page.drawn();
  }
  assertEquals(page.log, { problems: [], requests: [] });
  return names;
}

Deno.test({
  name: browser.name(
    "the dashboard loads without a request or an error, shows the files' numbers, and takes hostile text as text",
  ),
  ignore: browser.ignore,
  fn: () =>
    inTemporary(async (folder) => {
      await using page = await Browser.open();
      for (const hostile of [false, true]) {
        const run = `${folder}/${hostile}`;
        await syntheticRun(run, { rows: 30, hostile });
        const { status, stderr } = await shardbench(["dashboard", run, "--out", `${run}.html`]);
        assertEquals(status, 0, stderr);
        await page.load(`${run}.html`);
        const names = await visitAll(page);
        assertEquals(names, [
          "Overview",
          "Kernels",
          "Collectives",
          "Schedules",
          "Timeline",
          "Layouts",
          "Plan",
        ]);
        assertEquals(
          await page.run(
            "document.images.length + document.querySelectorAll('iframe,object,embed').length",
          ),
          0,
        );
        const text = String(
          await page.run(
            "document.body.innerText + [...document.querySelectorAll('.view')].map((v) => v.textContent).join()",
          ),
        );
        for (
          const expected of [
            "61.5",
            "101.5",
            "51.4 MB predicted",
            "one_shot",
            "n = 12 to 12 samples",
            "1 row: the check failed",
          ]
        ) {
          assertStringIncludes(text, expected);
        }
        if (hostile) assertStringIncludes(text, "<img src=x onerror=alert(1)>");
        assertEquals(await page.run("document.querySelectorAll('tr.wrong').length"), 1);
        assertEquals(
          await page.run(
            "getComputedStyle(document.querySelector('tr.wrong td')).textDecorationLine",
          ),
          "line-through",
        );
        // The table has every cell of the file, in its order.
        const cells = await page.run(
          "[...document.querySelectorAll('#view-1 tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))",
        );
        const { headers, rows } = readRows(`${run}/kernels.csv`);
        assertEquals(cells, rows.map((row) => headers.map((header) => row[header])));
        // A row shows its samples; a filter leaves rows.
        await page.run("document.querySelectorAll('#view-1 tbody tr')[0].click()");
        const dialog = String(await page.run("document.querySelector('dialog').innerText"));
        assertStringIncludes(dialog, "200 of 500 samples");
        await page.run("document.querySelector('dialog').close()");
        await page.run(
          "(() => { const i = document.querySelector('#view-1 input[aria-label^=\"filter tokens:\"]'); i.value = '<4'; i.dispatchEvent(new Event('input')); })()",
        );
        assertEquals(await page.run("document.querySelectorAll('#view-1 tbody tr').length"), 3);
        // Keys: an arrow goes to the next tab, plus zooms the timeline.
        await page.run(
          "(() => { const t = document.querySelectorAll('[role=tab]')[0]; t.focus(); t.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true })); })()",
        );
        assertEquals(
          await page.run("document.querySelector('[role=tab][aria-selected=true]').textContent"),
          "Kernels",
        );
        assertEquals(page.log, { problems: [], requests: [] });
      }
    }),
});

Deno.test({
  name: browser.name(
    "a table is turned page by page, and sorted by numbers as numbers and texts as texts",
  ),
  ignore: browser.ignore,
  fn: () =>
    inTemporary(async (folder) => {
      await syntheticRun(`${folder}/run`, { rows: 250 });
      await Deno.writeTextFile(
        `${folder}/page.html`,
        await dashboardHtml(pageData([`${folder}/run`])),
      );
      await using page = await Browser.open();
      await page.load(`${folder}/page.html`);
      // The status after buttons were pressed, and a column's first and last cell.
      const pressed = (header: string, ...labels: string[]) =>
        page.run(`(() => {
      const view = document.querySelector('#view-1');
      const press = (label) =>
        [...view.querySelectorAll('button')].find((b) => b.textContent === label).click();
      ${JSON.stringify(labels)}.forEach(press);
      const at = [...view.querySelectorAll('thead tr:first-child th')]
        .findIndex((th) => th.textContent === ${JSON.stringify(header)});
      const cells = [...view.querySelectorAll('tbody tr')].map((row) => row.cells[at].textContent);
      return [view.querySelector('[role=status]').textContent, cells[0], cells.at(-1)].join(' | ');
    })()`);
      const time = "time_us_median"; // 100 to 349
      const rows = "250 of 250 rows, page";
      await page.run("document.querySelectorAll('[role=tab]')[1].click()");
      await page.drawn();
      assertEquals(await pressed("tokens", "tokens"), `${rows} 1 of 3 | 1 | 25`);
      assertEquals(await pressed(time, time), `${rows} 1 of 3 | 100 | 199`);
      assertEquals(await pressed(time, "previous"), `${rows} 1 of 3 | 100 | 199`);
      assertEquals(await pressed(time, "next", "next"), `${rows} 3 of 3 | 300 | 349`);
      assertEquals(await pressed(time, "next"), `${rows} 3 of 3 | 300 | 349`);
      assertEquals(await pressed(time, "previous", time), `${rows} 2 of 3 | 249 | 150`);
      assertEquals(await pressed("op", "op"), `${rows} 2 of 3 | gemm | gemv`);
      assertEquals(await pressed("op", "op", "previous"), `${rows} 1 of 3 | gemv | gemm`);
      assertEquals(page.log.problems, []);
    }),
});

Deno.test({
  name: browser.name("10,000 rows are drawn a page at a time"),
  ignore: browser.ignore,
  fn: () =>
    inTemporary(async (folder) => {
      await syntheticRun(`${folder}/many`, { rows: 10_000 });
      const html = await dashboardHtml(pageData([`${folder}/many`]));
      await Deno.writeTextFile(`${folder}/many.html`, html);
      await using page = await Browser.open();
      await page.load(`${folder}/many.html`);
      await page.run("document.querySelectorAll('[role=tab]')[1].click()");
      await page.drawn();
      const text = (selector: string) =>
        page.run(`document.querySelector("#view-1 ${selector}").textContent`);
      assertStringIncludes(String(await text("[role=status]")), "10000 of 10000 rows, page 1 of");
      assertEquals(
        await page.run("document.querySelectorAll('#view-1 .rows tbody tr').length"),
        100,
      );
      // What is drawn does not grow with the rows, so a page of any run opens at once.
      const elements = Number(await page.run("document.querySelectorAll('*').length"));
      assert(elements < 10_000, `${elements} elements`);
      assertEquals(page.log.problems, []);
    }),
});

Deno.test("the committed page is what its sources build to", async () => {
  const { js, css } = await buildPage();
  const text = (name: string) =>
    Deno.readTextFile(new URL(`../../report/${name}`, import.meta.url));
  assertEquals(await text("page.bundle.js.txt"), js);
  assertEquals(await text("page.bundle.css.txt"), css);
});

Deno.test("a page forbids everything but its own script and style, and no data ends its element", () =>
  inTemporary(async (folder) => {
    await syntheticRun(`${folder}/run`, { rows: 3, hostile: true });
    const html = await dashboardHtml(pageData([`${folder}/run`]));
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    assertEquals(
      policy.replaceAll(/'sha256-[^']*'/g, "HASH"),
      "default-src 'none'; script-src HASH; style-src HASH; base-uri 'none'; form-action 'none'",
    );
    assertEquals(html.match(/<\/script>/g)!.length, 2);
    assertEquals(html.match(/<img/g), null);
    const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(html)![1]!);
    assertEquals(data.runs[0].tables.kernels.rows.length, 3);
  }));

Deno.test("dashboard refuses what is no run, and what is damaged, with its path and status 2", () =>
  inTemporary(async (folder) => {
    await syntheticRun(`${folder}/run`, { rows: 2 });
    await Deno.writeTextFile(`${folder}/run/timeline.json`, "{");
    for (
      const [args, message] of [
        [[`${folder}/nothing`], 'nothing": it is not there'],
        [[folder], "it has none of kernels.csv"],
        [[`${folder}/run`], "timeline.json"],
        [[`${folder}/run`, "--out", "page.txt"], "end in .html"],
        [[], "missing required argument"],
      ] as const
    ) {
      const { status, stderr } = await shardbench(["dashboard", ...args]);
      assertEquals(status, 2, stderr);
      assertStringIncludes(stderr, message);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
    }
  }));
