/** Results for other programs, and for pull requests. */

import { readText } from "../records/files/read_text.ts";
import { escapeCell } from "./compare_text.ts";
import type { AnyRow, SuiteRows } from "../records/rows/suite_rows.ts";
import { type ResultTable, resultTables } from "./result_table.ts";

/** The rows of all suites as one JSON object, by suite. */
export function resultsJson(
  { kernels, collectives, schedules }: SuiteRows,
  files: readonly string[],
): string {
  return JSON.stringify({ kernels, collectives, schedules, files }, null, 2);
}

/** The text of the CSV files, one after another with an empty line between. */
export function resultsCsv(paths: readonly string[]): string {
  return paths.map((path) => readText(path).trimEnd()).join("\n\n");
}

/** A summary in GitHub's Markdown: counts, what it ran on, a table a suite. */
export function resultsMarkdown(measured: SuiteRows): string {
  const { kernels, collectives, schedules } = measured;
  const rows: readonly Pick<AnyRow, "status" | "adapter" | "adapter_type" | "run_id">[] = [
    ...kernels,
    ...collectives,
    ...schedules,
  ];
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  const counts = ["ok", "wrong", "failed", "skipped"]
    .map((status) => `${count(status)} ${status}`).join(", ");
  const adapters = [
    ...new Set(rows.flatMap((row) => row.adapter ? [`${row.adapter} (${row.adapter_type})`] : [])),
  ];
  return [
    `**${rows.length} rows: ${counts}**`,
    "",
    `Run ${escapeCell(rows[0]?.run_id ?? "")}; ${
      escapeCell(adapters.join(", "))
    }; Deno ${Deno.version.deno}, ${Deno.build.os}`,
    "",
    ...resultTables(measured).flatMap((table) => [markdownTable(table), ""]),
  ].join("\n").trimEnd();
}

function markdownTable({ header, textColumns, body }: ResultTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [
    line(header),
    `| ${header.map((_, i) => i < textColumns ? "---" : "---:").join(" | ")} |`,
    ...body.map(line),
  ].join("\n");
}
