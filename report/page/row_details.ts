import { colour } from "./colours.ts";
import { type PageData, type Row, short } from "./data.ts";
import { button, h, headedTable, penOn } from "./dom.ts";

const STRIP_PX = 90;

/** A dialog, and what shows a row in it with all its cells and its raw samples. */
export function rowDetails(
  data: PageData,
): { readonly dialog: HTMLDialogElement; readonly show: (row: Row) => void } {
  const dialog = h("dialog", { "aria-label": "a row and its samples" });
  const show = (row: Row) => {
    const samples = row.run.samples[row.cells["row_key"] ?? ""] ?? {};
    const suite = data.columns[row.cells["suite"] ?? ""] ?? {};
    dialog.replaceChildren(
      h("div", { class: "bar" }, h("b", row.label), button("close", () => dialog.close())),
      ...Object.entries(samples).map(([name, { count, values }]) => {
        const some = count === values.length
          ? `${count} samples`
          : `${values.length} of ${count} samples, evenly picked`;
        return h(
          "section",
          h("h4", `${name}: ${some}, in the order in which they were taken`),
          strip(values),
          h("p", { class: "samples" }, values.map(short).join(" ")),
        );
      }),
      headedTable(
        Object.entries(row.cells).map(([header, cell]) => {
          const meaning = (suite[header] ?? []).join("; ");
          return [header, h("td", cell), h("td", { class: "quiet" }, meaning)];
        }),
      ),
    );
    dialog.showModal();
  };
  return { dialog, show };
}

/** Samples as dots, time to the right. */
function strip(values: readonly number[]): HTMLElement {
  const canvas = h("canvas", { class: "strip", "aria-hidden": "true" });
  requestAnimationFrame(() => {
    const width = canvas.clientWidth;
    const pen = penOn(canvas, { width, height: STRIP_PX });
    const [low, high] = [Math.min(...values), Math.max(...values)];
    pen.fillStyle = colour(0);
    values.forEach((value, i) =>
      pen.fillRect(
        4 + i / values.length * (width - 10),
        STRIP_PX - 6 - (high > low ? (value - low) / (high - low) : 0.5) * (STRIP_PX - 12),
        3,
        3,
      )
    );
  });
  return canvas;
}
