import { cell, isWrong, type PageData, passes, type Row, rowsOf } from "./data.ts";
import { button, choosable, h } from "./dom.ts";

const PAGE_ROWS = 100;

/** What views have besides their rows. */
export interface ViewContext {
  readonly data: PageData;
  /** Called when a row is chosen. */
  readonly onPick: (row: Row) => void;
}

/** Draws the charts of a suite from the rows that pass the filters. */
export type Charts = (rows: readonly Row[], context: ViewContext) => readonly HTMLElement[];

/** The charts of a file's rows, and below them the table whose filters choose these rows. */
export function suiteView(file: string, charts: Charts, context: ViewContext): HTMLElement {
  const drawn = h("div", { class: "charts" });
  const onRows = (kept: readonly Row[]) => drawn.replaceChildren(...charts(kept, context));
  return h("div", drawn, table(file, context, onRows));
}

/**
 * All rows of a file, a page at a time; a filter a column, sorted by a click on a header. `onRows` gets
 * the rows that pass the filters, at first and whenever they change.
 */
function table(
  file: string,
  { data, onPick }: ViewContext,
  onRows: (rows: readonly Row[]) => void,
): HTMLElement {
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
        all.map((header) => h("td", cell(row, header))),
      )
    ));
    status.textContent = `${shown.length} of ${rows.length} rows, page ${page + 1} of ${pages}`;
  };
  const update = () => {
    const kept = rows.filter((row) => passes(row, filters));
    const by = sort;
    shown = by === undefined ? kept : [...kept].sort((a, b) => {
      const [x, y] = [cell(a, by.header), cell(b, by.header)];
      const areNumbers = x !== "" && y !== "" && !isNaN(Number(x)) && !isNaN(Number(y));
      return by.sign * (areNumbers ? Number(x) - Number(y) : Number(x > y) - Number(x < y));
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
      button(header, () => {
        sort = { header, sign: sort?.header === header && sort.sign === 1 ? -1 : 1 };
        update();
      }),
    )
  );
  const inputs = all.map((header) =>
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
    })
  );
  const filterRow = h("tr", { class: "filters" }, inputs.map((input) => h("th", input)));
  queueMicrotask(update);
  return h(
    "section",
    { class: "rows" },
    h("div", { class: "bar" }, button("previous", turn(-1)), button("next", turn(1)), status),
    h("div", { class: "scroll" }, h("table", h("thead", h("tr", head), filterRow), body)),
  );
}
