/** What the page says of rows. */

import { num, type Row, short } from "./data.ts";

/** What hovering says of a row. */
export function describe(row: Row): readonly string[] {
  const { cells } = row;
  const us = (column: string) => short(num(row, `time_us_${column}`));
  return [
    row.label,
    `${us("median")} us, 95 % interval ${us("ci_low")} to ${us("ci_high")}`,
    `min ${us("min")}, p95 ${us("p95")} us, noise ${short(num(row, "noise_pct"))} %`,
    `n = ${cells["samples"] ?? "?"}, ${cells["clock"] ?? ""} clock; click for the samples`,
    ...["reason", "warning"].flatMap((header) =>
      cells[header] ? [`${header}: ${cells[header]}`] : []
    ),
  ];
}

/** The clocks of rows, and how many samples they have. */
export function sampleNote(rows: readonly Row[]): string {
  const counts = rows.map((row) => num(row, "samples")).filter((n) => n > 0);
  const clocks = [...new Set(rows.map((row) => row.cells["clock"]).filter((clock) => clock))];
  const n = counts.length === 0 ? "none" : `${Math.min(...counts)} to ${Math.max(...counts)}`;
  return `${clocks.join(" and ")} clock; medians of n = ${n} samples`;
}

/** The sizes of a row's layout, as a heading. */
export function layoutName(row: Row): string {
  const [tp, pp, dp] = layoutSizes(row);
  return `TP ${tp} x PP ${pp} x DP ${dp}`;
}

/** The sizes of a row's layout, among other words. */
export function layoutWords(row: Row): string {
  const [tp, pp, dp] = layoutSizes(row);
  return `tp=${tp} pp=${pp} dp=${dp}`;
}

function layoutSizes({ cells }: Row) {
  return ["tensor", "pipeline", "data"].map((kind) => cells[`${kind}_parallel_size`]);
}
