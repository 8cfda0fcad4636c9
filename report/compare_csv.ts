/** A comparison for spreadsheets: a line a row, those of one side among them. */

import { stringify } from "@std/csv";
import { guardText } from "../records/files/csv_rows.ts";
import type { Comparison } from "./comparison.ts";

const COLUMNS = [
  "verdict",
  "suite",
  "row_key",
  "label",
  "is_regression",
  "ratio",
  "ratio_low",
  "ratio_high",
  "ratio_of_machine",
  "p",
  "p_rounds",
  "scatter_pct",
  "scatter_from",
  "baseline_us",
  "candidate_us",
  "baseline_samples",
  "candidate_samples",
  "baseline_rounds",
  "candidate_rounds",
  "baseline_runs",
  "candidate_runs",
  "reason",
  "warning",
] as const;

/** The comparison as CSV; rows of one side have the verdict `missing` or `new`, and its numbers. */
export function comparisonCsv({ rows, missing, added }: Comparison): string {
  const lines: readonly Partial<Record<typeof COLUMNS[number], unknown>>[] = [
    ...rows.map((row) => ({
      ...row,
      baseline_samples: row.samples[0],
      candidate_samples: row.samples[1],
      baseline_rounds: row.rounds[0],
      candidate_rounds: row.rounds[1],
      baseline_runs: row.runs[0],
      candidate_runs: row.runs[1],
    })),
    ...missing.map(({ time_us, samples, status, ...row }) => ({
      ...row,
      verdict: "missing",
      baseline_us: time_us,
      baseline_samples: samples,
      reason: `the baseline is ${status}`,
    })),
    ...added.map(({ time_us, samples, status, ...row }) => ({
      ...row,
      verdict: "new",
      candidate_us: time_us,
      candidate_samples: samples,
      reason: `the candidate is ${status}`,
    })),
  ];
  const cell = (value: unknown) =>
    typeof value === "string" ? guardText(value) : value === null ? "" : String(value ?? "");
  return stringify([[...COLUMNS], ...lines.map((line) => COLUMNS.map((name) => cell(line[name])))]);
}
