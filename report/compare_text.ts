/** A comparison to be read: on a terminal, or in a pull request. */

import type { Comparison, OneSidedRow } from "./comparison.ts";
import type { ComparedRow, Verdict } from "./judge_row.ts";
import { DEFAULT_FLOOR } from "./noise_floor.ts";

const ORDER: readonly Verdict[] = ["slower", "no data", "faster", "too few", "ambiguous", "same"];
const HEADER = [
  "verdict",
  "ratio",
  "95 % interval",
  "p",
  "baseline us",
  "candidate us",
  "n",
  "runs apart %",
  "row",
];

/** One line of counts and the mean. */
export function comparisonSummary(
  { rows, missing, added, geometric_mean, machine_ratio, ...rest }: Comparison,
): string {
  const count = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  const counts = ORDER.map((verdict) => `${count(verdict)} ${verdict}`).join(", ");
  const wrong = rows.filter((row) => row.is_regression && row.verdict === "no data").length;
  return [
    `${rows.length} rows: ${counts}`,
    ...(wrong > 0 ? [`${wrong} no longer right`] : []),
    ...(missing.length > 0 ? [`${missing.length} missing`] : []),
    ...(added.length > 0 ? [`${added.length} ${addedWord(rest)}`] : []),
    ...(geometric_mean === null ? [] : [`geometric mean ${ratioText(geometric_mean)}`]),
    ...(machine_ratio === null ? [] : [`the machine's own ${ratioText(machine_ratio)}`]),
  ].join("; ");
}

/** Aligned lines, the worst first; rows that did not change only where `all`. */
export function comparisonText(comparison: Comparison, { all = false } = {}): string {
  const shown = sorted(comparison).filter(({ verdict }) => all || verdict !== "same");
  const table = [HEADER, ...shown.map(cells)];
  const widths = HEADER.map((_, i) => Math.max(...table.map((line) => line[i]!.length)));
  const lines = shown.length === 0
    ? []
    : table.map((line) =>
      line.map((cell, i) => isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
        .join("  ").trimEnd()
    );
  return [...lines, ...lists(comparison), comparisonSummary(comparison), ...notes(comparison)]
    .join("\n");
}

/** The same for GitHub: a table of what changed, the rest folded. */
export function comparisonMarkdown(comparison: Comparison): string {
  const rows = sorted(comparison);
  const changed = rows.filter(({ verdict }) => verdict !== "same" && verdict !== "ambiguous");
  const table = (list: readonly ComparedRow[]) =>
    markdownTable(HEADER, list.map(cells), HEADER.filter((_, i) => !isText(i)));
  const rest = rows.filter((row) => !changed.includes(row));
  return [
    `**${comparisonSummary(comparison)}**`,
    "",
    ...(changed.length > 0 ? [table(changed), ""] : ["Nothing changed.", ""]),
    ...(rest.length > 0 ? folded(`${rest.length} other rows`, table(rest)) : []),
    ...oneSidedTable(comparison),
    ...notes(comparison),
  ].join("\n").trimEnd();
}

function sorted({ rows }: Comparison): readonly ComparedRow[] {
  return [...rows].sort((a, b) =>
    ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) ||
    Math.abs(Math.log(b.ratio ?? 1)) - Math.abs(Math.log(a.ratio ?? 1))
  );
}

function cells(row: ComparedRow): readonly string[] {
  const { verdict, ratio, ratio_low, ratio_high, p, baseline_us, candidate_us, samples } = row;
  const isClear = verdict === "same" || verdict === "faster" || verdict === "slower";
  const because = isClear ? "" : ` (${row.reason})`;
  const warning = row.warning !== "" && verdict !== "same" ? ` [${row.warning}]` : "";
  return [
    verdict,
    ratio === null ? "" : ratioText(ratio),
    ratio_low === null ? "" : `${ratioText(ratio_low)}-${ratioText(ratio_high!)}`,
    p === null ? "" : p < 0.001 ? "<0.001" : p.toFixed(3),
    timeText(baseline_us),
    timeText(candidate_us),
    `${samples[0]}/${samples[1]}`,
    row.scatter_pct === null ? "" : row.scatter_pct.toFixed(1),
    `${row.suite}: ${row.label}${because}${warning}`,
  ];
}

/** Rows without a counterpart: a line a suite and operation, with how many are in which state. */
function lists(comparison: Comparison): readonly string[] {
  return [
    ...groupLines("missing", comparison.missing),
    ...groupLines(addedWord(comparison), comparison.added),
  ];
}

function groupLines(word: string, rows: readonly OneSidedRow[]): readonly string[] {
  const groups = Map.groupBy(rows, ({ suite, label }) => `${suite} ${label.split(" ")[0]}`);
  return [...groups].map(([name, members]) => {
    const states = [...Map.groupBy(members, ({ status }) => status)]
      .map(([status, list]) => `${list.length} ${status}`).join(", ");
    return `${word}: ${members.length} rows of ${name} (${states})`;
  });
}

/** Rows of one run that differ in one column have no other run to be new in. */
function addedWord({ baseline, candidate }: Pick<Comparison, "baseline" | "candidate">): string {
  return baseline === candidate ? "alone" : "new";
}

function oneSidedTable({ missing, added, ...paths }: Comparison): readonly string[] {
  const lines = [
    ...missing.map((row) => ["missing", row] as const),
    ...added.map((row) => [addedWord(paths), row] as const),
  ].map((
    [word, { suite, label, status, time_us, samples }],
  ) => [word, status, timeText(time_us), String(samples), `${suite}: ${label}`]);
  if (lines.length === 0) return [];
  const header = ["only one side", "status", "us", "n", "row"];
  return folded(`${lines.length} rows of one side`, markdownTable(header, lines, ["us", "n"]));
}

function markdownTable(
  header: readonly string[],
  lines: readonly (readonly string[])[],
  numbers: readonly string[],
): string {
  const rule = header.map((name) => numbers.includes(name) ? "---:" : "---");
  return [header, rule, ...lines].map((line) => `| ${line.map(escapeCell).join(" | ")} |`)
    .join("\n");
}

function folded(summary: string, text: string): readonly string[] {
  return [`<details><summary>${summary}</summary>`, "", text, "", "</details>", ""];
}

function notes({ without_samples, without_floor, rows }: Comparison): readonly string[] {
  return [
    ...(without_floor > 0
      ? [
        `No floor for this machine of ${without_floor} of ${rows.length} rows: run selftest. Until then ` +
        `two runs are taken to be ${DEFAULT_FLOOR.scatter_pct} % apart.`,
      ]
      : []),
    ...(without_samples
      ? [
        "Some rows have no samples.jsonl beside them: their verdicts rest on the files' intervals alone.",
      ]
      : []),
  ];
}

function timeText(us: number | null): string {
  return us === null ? "" : us.toPrecision(4);
}

function isText(place: number): boolean {
  return place === 0 || place === HEADER.length - 1;
}

function ratioText(ratio: number): string {
  return ratio.toFixed(3);
}

/** A cell that neither ends itself nor becomes markup. */
export function escapeCell(text: string): string {
  return text.replaceAll(/[\\|`*_<>\[\]]/g, (char) => `\\${char}`).replaceAll(/\s*\n\s*/g, " ");
}
