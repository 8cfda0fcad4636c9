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
