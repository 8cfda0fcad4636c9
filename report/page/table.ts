import { cell, isWrong, type PageData, passes, type Row, rowsOf } from "./data.ts";
import { choosable, h } from "./dom.ts";

const PAGE_ROWS = 100;

/** What a table tells whoever shows it. */
export interface TableOptions {
  /** Called with the rows that pass the filters, at first and whenever they change. */
  readonly onRows: (rows: readonly Row[]) => void;
  readonly onPick: (row: Row) => void;
}

/** All rows of a file, a page at a time; a filter a column, sorted by a click on a header. */
export function table(data: PageData, file: string, { onRows, onPick }: TableOptions): HTMLElement {
  const { headers, rows } = rowsOf(data, file);
  const all = data.runs.length > 1 ? ["run", ...headers] : headers;
  const filters = new Map<string, string>();
  let sort: { header: string; sign: 1 | -1 } | undefined;
  let page = 0;
  let shown: readonly Row[] = rows;
  const body = h("tbody");
  const status = h("span", { class: "quiet", role: "status" });
  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE_ROWS));
    page = Math.min(page, pages - 1);
    const part = shown.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS);
    body.replaceChildren(...part.map((row) =>
      h(
        "tr",
        {
          ...choosable(() => onPick(row)),
          class: isWrong(row) ? "wrong" : row.cells["status"] === "skipped" ? "skipped" : "",
        },
        all.map((header) => h("td", {}, cell(row, header))),
      )
    ));
    status.textContent = `${shown.length} of ${rows.length} rows, page ${page + 1} of ${pages}`;
  };
  const update = () => {
    const kept = rows.filter((row) => passes(row, filters));
    const by = sort;
    shown = by === undefined ? kept : [...kept].sort((a, b) => {
      const [x, y] = [cell(a, by.header), cell(b, by.header)];
      const order = x !== "" && y !== "" && !isNaN(Number(x)) && !isNaN(Number(y))
        ? Number(x) - Number(y)
        : x < y
        ? -1
        : x > y
        ? 1
        : 0;
      return by.sign * order;
    });
    draw();
    onRows(kept);
  };
  const turn = (by: number) => () => {
    page = Math.max(0, page + by);
    draw();
  };
  const about = data.columns[file] ?? {};
  const head = all.map((header) =>
    h(
      "th",
      { scope: "col", title: (about[header] ?? []).join("; ") },
      h("button", {
        type: "button",
        onclick: () => {
          sort = { header, sign: sort?.header === header && sort.sign === 1 ? -1 : 1 };
          update();
        },
      }, header),
    )
  );
  const inputs = all.map((header) =>
    h(
      "th",
      {},
      h("input", {
        type: "search",
        placeholder: "filter",
        "aria-label": `filter ${header}: a text, =text, <number or >number`,
        oninput: (event) => {
          const { value } = event.target as HTMLInputElement;
          if (value === "") filters.delete(header);
          else filters.set(header, value);
          page = 0;
          update();
        },
      }),
    )
  );
  queueMicrotask(update);
  return h(
    "section",
    { class: "rows" },
    h(
      "div",
      { class: "bar" },
      h("button", { type: "button", onclick: turn(-1) }, "previous"),
      h("button", { type: "button", onclick: turn(1) }, "next"),
      status,
    ),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, head), h("tr", { class: "filters" }, inputs)),
        body,
      ),
    ),
  );
}
