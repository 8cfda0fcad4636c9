import { colour } from "./colours.ts";
import { h } from "./dom.ts";

/** What the marks of a chart stand for. */
export function legend(
  entries: readonly { readonly mark: HTMLElement; readonly name: string }[],
): HTMLElement {
  const items = entries.map(({ mark, name }) => h("li", {}, mark, ` ${name}`));
  return h("ul", { class: "legend" }, items);
}

/** A mark in the colour of the i-th of several things. */
export function colourMark(text: string, i: number): HTMLElement {
  const mark = h("span", { class: "mark", "aria-hidden": "true" }, text);
  mark.style.color = colour(i);
  return mark;
}
