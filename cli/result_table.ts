import { Table } from "@cliffy/table";
import type { KernelRow } from "../bench/row.ts";

const number = (value: unknown, digits: number) =>
  typeof value === "number" ? value.toFixed(digits) : "";

const COLUMNS: readonly (readonly [string, (row: KernelRow) => string])[] = [
  ["op", (r) => r.op],
  ["variant", (r) => r.variant],
  ["mode", (r) => r.mode],
  ["tp", (r) => String(r.tensor_parallel_size)],
  ["tokens", (r) => String(r.tokens)],
  ["context", (r) => String(r.context)],
  ["us", (r) => number(r.time_us_median, 1)],
  ["+-%", (r) => number(r.noise_pct, 1)],
  ["GFLOP/s", (r) => number(r.rate_gflops, 2)],
  ["GB/s", (r) => number(r.rate_gbytes_per_s, 2)],
  ["ceiling %", (r) => number(r.ceiling_pct, 1)],
  ["x naive", (r) => number(r.speedup_vs_naive, 1)],
  ["wrong", (r) => String(r.wrong_elements ?? "")],
  ["status", (r) => r.status ?? ""],
];

/** The first columns are text; numbers stand at the right. */
const TEXT_COLUMNS = 3;

/** A table of kernel rows to be read, sorted by what was measured. */
export function resultTable(rows: readonly KernelRow[]): string {
  const key = (r: KernelRow) =>
    [r.op, r.tensor_parallel_size, String(r.tokens).padStart(8), r.context, r.variant].join(" ");
  const sorted = [...rows].sort((a, b) => key(a) < key(b) ? -1 : 1);
  return new Table()
    .header(COLUMNS.map(([title]) => title))
    .body(sorted.map((row) => COLUMNS.map(([, format]) => format(row))))
    .columns(COLUMNS.map((_, i) => ({ align: i < TEXT_COLUMNS ? "left" : "right" })))
    .padding(2)
    .toString();
}
