import { type Column, type ColumnTexts, makeColumns, type RowOf } from "./column.ts";

const TEXTS = {
  transport: { kind: "text", meaning: "How the ranks reach each other", key: true },
  memory: { kind: "text", meaning: "Where operands and results lie: host or device", key: true },
  ranks: { kind: "count", meaning: "Ranks at work", key: true },
  alpha_us: { kind: "number", unit: "us", meaning: "Time of a message of no bytes" },
  alpha_us_ci_low: { kind: "number", unit: "us", meaning: "Lower end of its 95 % interval" },
  alpha_us_ci_high: { kind: "number", unit: "us", meaning: "Upper end of its 95 % interval" },
  bandwidth_gbytes_per_s: {
    kind: "number",
    unit: "1e9 B/s",
    meaning: "What each further byte goes by",
  },
  bandwidth_ci_low: { kind: "number", unit: "1e9 B/s", meaning: "Lower end of its 95 % interval" },
  bandwidth_ci_high: { kind: "number", unit: "1e9 B/s", meaning: "Upper end of its 95 % interval" },
  held_out_error_pct: {
    kind: "number",
    unit: "%",
    meaning: "Mean relative error at every second size, of a fit on the other sizes",
  },
} as const satisfies ColumnTexts;

/** The columns of links.csv. */
export const LINK_COLUMNS: readonly Column[] = makeColumns(TEXTS);

/** A line of links.csv. */
export type LinkRow = RowOf<typeof TEXTS>;
