/** A comparison to be read: on a terminal, or in a pull request. */

import type { Comparison } from "./compare_runs.ts";
import type { ComparedRow, Verdict } from "./judge_row.ts";

const ORDER: readonly Verdict[] = ["slower", "no data", "faster", "too few", "ambiguous", "same"];
const HEADER = [
  "verdict",
  "ratio",
  "95 % interval",
  "p",
  "baseline us",
  "candidate us",
  "n",
  "row",
];

/** One line of counts and the mean. */
export function comparisonSummary(
  { rows, missing, added, geometric_mean, machine_ratio, scatter_pct }: Comparison,
): string {
  const count = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  const counts = ORDER.map((verdict) => `${count(verdict)} ${verdict}`).join(", ");
  const wrong = rows.filter((row) => row.is_regression && row.verdict === "no data").length;
  return [
    `${rows.length} rows: ${counts}`,
    ...(wrong > 0 ? [`${wrong} no longer right`] : []),
    ...(missing.length > 0 ? [`${missing.length} missing`] : []),
    ...(added.length > 0 ? [`${added.length} new`] : []),
    ...(geometric_mean === null ? [] : [`geometric mean ${ratioText(geometric_mean)}`]),
    ...(scatter_pct === null ? [] : [`rows scatter by ${scatter_pct.toFixed(1)} %`]),
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
      line.map((cell, i) =>
        i === 0 || i === 7 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
      )
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
    [HEADER, HEADER.map((_, i) => i === 0 || i === 7 ? "---" : "---:"), ...list.map(cells)]
      .map((line) => `| ${line.map(escapeCell).join(" | ")} |`).join("\n");
  const rest = rows.filter((row) => !changed.includes(row));
  return [
    `**${comparisonSummary(comparison)}**`,
    "",
    ...(changed.length > 0 ? [table(changed), ""] : ["Nothing changed.", ""]),
    ...(rest.length > 0
      ? [
        `<details><summary>${rest.length} other rows</summary>`,
        "",
        table(rest),
        "",
        "</details>",
        "",
      ]
      : []),
    ...lists(comparison).map((line) => `- ${escapeCell(line)}`),
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
  const time = (us: number | null) => us === null ? "" : us.toPrecision(4);
  const because = verdict === "no data" || verdict === "ambiguous" ? ` (${row.reason})` : "";
  const warning = row.warning !== "" && verdict !== "same" ? ` [${row.warning}]` : "";
  return [
    verdict,
    ratio === null ? "" : ratioText(ratio),
    ratio_low === null ? "" : `${ratioText(ratio_low)}-${ratioText(ratio_high!)}`,
    p === null ? "" : p < 0.001 ? "<0.001" : p.toFixed(3),
    time(baseline_us),
    time(candidate_us),
    `${samples[0]}/${samples[1]}`,
    `${row.suite}: ${row.label}${because}${warning}`,
  ];
}

function lists({ missing, added }: Comparison): readonly string[] {
  return [...missing.map((label) => `missing: ${label}`), ...added.map((label) => `new: ${label}`)];
}

function notes({ without_samples }: Comparison): readonly string[] {
  return without_samples
    ? [
      "Some rows have no samples.jsonl beside them: their verdicts rest on the files' intervals alone.",
    ]
    : [];
}

function ratioText(ratio: number): string {
  return ratio.toFixed(3);
}

/** A cell that neither ends itself nor becomes markup. */
export function escapeCell(text: string): string {
  return text.replaceAll(/[\\|`*_<>\[\]]/g, (char) => `\\${char}`).replaceAll(/\s*\n\s*/g, " ");
}
