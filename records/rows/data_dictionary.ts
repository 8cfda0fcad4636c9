/** The data dictionary of the CSV files: results/README.md, made from the columns. */

import type { Column } from "./column.ts";
import { SUITES } from "./suite.ts";
import { COLUMNS, columnsOf, SCHEMA_VERSION } from "./row.ts";

const INTRODUCTION = `# Results

A run writes \`results/<name>/<UTC time>/\`: a CSV file for each suite that ran, \`samples.jsonl\` (every raw sample),
\`manifest.json\` (configuration, environment, adapter, ceilings, where the time went), and \`report.html\`. The
schedules suite adds \`ranks.csv\` (who has what, bytes predicted and allocated), \`timeline.json\` (Chrome's trace
format) and \`pipeline_<case>.csv\` (PyTorch's pipeline schedules). Nothing is overwritten. \`columns.json\` beside
this file says the same for programs; \`reference/\` is one run.

- CSV as in RFC 4180; a blank cell means that there is no value. Text that a spreadsheet would run as a
  formula starts with an apostrophe. Numbers have seven significant digits.
- \`_us\` and \`_ms\` are times, \`_bytes\` sizes, \`_pct\` per cent from 0 to 100; giga means 1e9.
- Quantiles are of type 7 (linear between order statistics). The interval of the median is the 95 % one of
  the order statistics; below 6 samples it is the least and the largest. \`noise_pct\` is half its width, in
  per cent of the median.
- \`status\`: ok; wrong, a result differed from its reference, which also keeps the row out of rates and
  rankings; failed, an error; skipped, with a reason.
- \`clock\`: gpu, the adapter's timestamps around the pass; host, where the adapter has none.
- \`stop_reason\`: noise_target, the interval was narrow enough; noise_stable, it no longer narrowed;
  timeout; max_samples, 1000 were taken.
`;

const LINKS = `## links.csv

One row for each transport, memory and number of ranks: the line time = alpha + bytes / bandwidth through
the median times of send_recv, fitted to the least relative errors over all message sizes. Intervals are
95 %, from resampled times; \`held_out_error_pct\` is the mean relative error at every second size, of a
fit on the other sizes.
`;

function table(columns: readonly Column[]): string {
  const rows = columns.map(({ header, unit, meaning, key }) =>
    `| ${header}${key ? " *" : ""} | ${unit} | ${meaning} |`
  );
  return ["| column | unit | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** The text of results/README.md; columns with a star are independent variables, the row key's parts. */
export function dataDictionary(): string {
  return [
    INTRODUCTION,
    `## Columns of every suite\n\n${table(COLUMNS.common)}\n`,
    `## kernels.csv\n\n${table(COLUMNS.kernels)}\n`,
    `## collectives.csv\n\n${table(COLUMNS.collectives)}\n`,
    LINKS,
    `## schedules.csv\n\n${table(COLUMNS.schedules)}\n`,
  ].join("\n");
}

/** The text of results/columns.json: the same for programs, a list of columns by file. */
export function columnsJson(): string {
  const files = Object.fromEntries(SUITES.map((suite) => [
    `${suite}.csv`,
    columnsOf(suite).map(({ header, unit, meaning, kind, key }) => ({
      header,
      unit,
      kind,
      key,
      meaning,
    })),
  ]));
  return `${JSON.stringify({ schema_version: SCHEMA_VERSION, files }, null, 2)}\n`;
}
