/** The data dictionary of the CSV files: results/README.md, made from the columns. */

import { type Column, makeColumns } from "./column.ts";
import { COMMON_COLUMN_TEXTS, LATER_COMMON_COLUMN_TEXTS } from "./common_columns.ts";
import { isOnlyHashed } from "./derive_rows.ts";
import { LINK_COLUMNS } from "./link_columns.ts";
import { RANK_COLUMNS } from "./rank_columns.ts";
import { columnsOf, SCHEMA_VERSION } from "./row.ts";
import { DRIFT_PCT, MIN_ROUNDS, NOISY_PCT } from "./row_warning.ts";
import { SUITES } from "./suite.ts";

const INTRODUCTION = `# Results

A run writes \`results/<name>/<UTC time>/\`: a CSV file for each suite that ran, \`samples.jsonl\` (every raw sample),
\`manifest.json\` (configuration, environment, adapter, ceilings, where the time went; the SHA-256 of every other
file, the rows' labels by key, and a digest of itself), and \`report.html\`. \`parts\` of the manifest has what each
process that measured says of itself, several where the run was resumed; the same fields outside are the last
one's. \`environment.commit.dirty\` is null, unknown, where git may not be started, as in every task here;
\`environment.sources_hash\` is the SHA-256 of the lines \`<SHA-256>  <path>\` of all *.ts, *.wgsl, *.wasm, deno.json and
deno.lock but for tests and _tools, sorted by path, so a modified tree has another one than its commit. The
schedules suite adds \`ranks.csv\` (who has what, bytes predicted and allocated), \`timeline.json\` (Chrome's trace
format) and \`pipeline_<case>.csv\` (PyTorch's pipeline schedules). Nothing is overwritten. \`columns.json\` beside
this file says the same for programs; \`reference/\` is one run.

- CSV as in RFC 4180; a blank cell means that there is no value. Text that a spreadsheet would run as a
  formula starts with an apostrophe. Numbers have seven significant digits.
- \`_us\` and \`_ms\` are times, \`_bytes\` sizes, \`_pct\` per cent from 0 to 100; giga means 1e9.
- Quantiles are of type 7 (linear between order statistics). The 95 % interval of the median comes from how
  much the \`rounds\` differ that a row's samples were taken in (Woodruff's interval for clusters, widened
  where rounds resemble each other: \`statistics/round_interval.ts\`): in simulations of ten rounds of five
  samples it holds the true median in 91 % (AR(0.9) from sample to sample) to 99 % of rows; where every
  round is one sample of such a machine, in 58 %, which \`autocorrelation\` may show. \`noise_pct\` is half its
  width, in per cent of the median.
- \`status\`: ok; wrong, a result differed from its reference, which also keeps the row out of rates and
  rankings; failed, an error; skipped. \`reason\` says why it is not ok, \`warning\` what makes an ok row less
  good: the canary more than ${DRIFT_PCT} % off, oversubscribed, noise above ${NOISY_PCT} %, fewer than
  ${MIN_ROUNDS} rounds.
- \`clock\`: gpu, the adapter's timestamps around the pass; host, where the adapter has none.
- \`stop_reason\`: noise_target, the interval was narrow enough; noise_stable, it no longer narrowed;
  timeout; max_samples, 1000 were taken.
`;

const LINKS =
  `One row for each transport, memory and number of ranks: the line time = alpha + bytes / bandwidth through
the median times of send_recv, fitted to the least relative errors over all message sizes. Intervals are
95 %, of the fits to single rounds; \`held_out_error_pct\` is the mean relative error at every second size, of a
fit on the other sizes.

`;

const RANKS = "One row for each rank of each layout that the schedules suite opened.\n\n";

const VERIFY =
  `\`verify\` computes a row's other cells again from samples, facts (single numbers beside the samples), manifest
and the cells before them. Nothing in a run folder determines these, so they are covered by hashes alone: their
raw inputs (the outputs of every iteration, what ranks' devices allocated, every step program) are not kept.
Rows without samples (failed, skipped) are hashed as they are, and so are \`links.csv\`, \`ranks.csv\`, \`timeline.json\`,
\`pipeline_<case>.csv\` and \`report.html\`.

`;

function hashedOnly(): string {
  return SUITES.map((suite) => {
    const headers = columnsOf(suite).filter(isOnlyHashed).map(({ header }) => `\`${header}\``);
    return `- ${suite}: ${headers.join(", ")}`;
  }).join("\n");
}

function table(columns: readonly Column[]): string {
  const rows = columns.map(({ header, unit, meaning, key }) =>
    `| ${header}${key ? " *" : ""} | ${unit} | ${meaning} |`
  );
  return ["| column | unit | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** The text of results/README.md; columns with a star are independent variables, the row key's parts. */
export function dataDictionary(): string {
  const first = makeColumns(COMMON_COLUMN_TEXTS);
  const last = makeColumns(LATER_COMMON_COLUMN_TEXTS);
  return [
    INTRODUCTION,
    `## Columns of every suite\n\n${table([...first, ...last])}\n`,
    ...SUITES.map((suite) =>
      `## ${suite}.csv\n\n${table(columnsOf(suite).slice(first.length, -last.length))}\n`
    ),
    `## links.csv\n\n${LINKS}${table(LINK_COLUMNS)}\n`,
    `## ranks.csv\n\n${RANKS}${table(RANK_COLUMNS)}\n`,
    `## Verify\n\n${VERIFY}${hashedOnly()}\n`,
  ].join("\n");
}

/** The text of results/columns.json: the same for programs, a list of columns by file. */
export function columnsJson(): string {
  const columns: readonly (readonly [string, readonly Column[]])[] = [
    ...SUITES.map((suite) => [suite, columnsOf(suite)] as const),
    ["links", LINK_COLUMNS],
    ["ranks", RANK_COLUMNS],
  ];
  const files = Object.fromEntries(columns.map(([file, list]) => [
    `${file}.csv`,
    list.map(({ header, unit, meaning, kind, key }) => ({
      header,
      unit,
      kind,
      key: key !== undefined,
      meaning,
    })),
  ]));
  return `${JSON.stringify({ schema_version: SCHEMA_VERSION, files }, null, 2)}\n`;
}
