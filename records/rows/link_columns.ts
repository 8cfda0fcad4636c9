import { type Column, count, makeColumns, number, type RowOf, text } from "./column.ts";

const TEXTS = {
  transport: text("How the ranks reach each other", { key: true }),
  memory: text("Where operands and results lie: host or device", { key: true }),
  ranks: count("Ranks at work", { key: true }),
  alpha_us: number("us", "Time of a message of no bytes"),
  alpha_us_ci_low: number("us", "Lower end of its 95 % interval"),
  alpha_us_ci_high: number("us", "Upper end of its 95 % interval"),
  bandwidth_gbytes_per_s: number("1e9 B/s", "What each further byte goes by"),
  bandwidth_ci_low: number("1e9 B/s", "Lower end of its 95 % interval"),
  bandwidth_ci_high: number("1e9 B/s", "Upper end of its 95 % interval"),
  held_out_error_pct: number(
    "%",
    "Mean relative error at every second size, of a fit on the other sizes",
  ),
};

/** The columns of links.csv. */
export const LINK_COLUMNS: readonly Column[] = makeColumns(TEXTS);

/** A line of links.csv. */
export type LinkRow = RowOf<typeof TEXTS>;
