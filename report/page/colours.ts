/** Colours, and the legends that say what they stand for. */

import { h } from "./dom.ts";

/** Okabe and Ito's colours, which colour-blind readers can tell apart; dashes differ besides. */
export const COLOURS = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
  "#7f7f7f",
];

/** The colour of the i-th of several things. */
export function colour(i: number): string {
  return COLOURS[i % COLOURS.length]!;
}

/** A colour of the style sheet, which differs on a dark page. */
export function styleColour(name: "--ink" | "--line"): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** What the marks of a chart stand for. */
export function legend(
  entries: readonly { readonly mark: HTMLElement; readonly name: string }[],
): HTMLElement {
  const items = entries.map(({ mark, name }) => h("li", mark, ` ${name}`));
  return h("ul", { class: "legend" }, items);
}

/** A mark in the colour of the i-th of several things. */
export function colourMark(text: string, i: number): HTMLElement {
  const mark = h("span", { class: "mark", "aria-hidden": "true" }, text);
  mark.style.color = colour(i);
  return mark;
}
