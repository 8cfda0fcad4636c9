import { Command } from "@cliffy/command";
import { z } from "zod";
import { compareRuns } from "../report/compare_runs.ts";
import { comparisonMarkdown, comparisonText } from "../report/compare_text.ts";
import { DIFFERENCES, identityDifferences } from "../report/run_differences.ts";
import { loadRun } from "../records/run_folder/load_run.ts";
import { EXIT } from "./exit_status.ts";
import { listOf, oneOf, threshold } from "./option_values.ts";

const FORMATS = ["terminal", "md", "json"] as const;
/** What may be allowed: runs that differ, and comparisons that are `incomplete`. */
const ALLOWED = [...DIFFERENCES, "incomplete"] as const;

const OPTIONS = z.object({
  threshold: z.number().optional(),
  allow: z.string().optional(),
  format: z.string().default("terminal"),
  json: z.boolean().optional(),
  all: z.boolean().optional(),
});

/** Changes below this percentage do not count: see `selftest` for what it finds and what it invents. */
export const DEFAULT_THRESHOLD_PCT = 3;

/** `compare`: says for every row of two runs whether it changed. */
export function compareCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Say for every row of two runs whether it changed, and by how much.")
    .arguments("<baseline:file> <candidate:file>")
    .option("--threshold <pct:number>", `Least change that counts, in %; ${DEFAULT_THRESHOLD_PCT}.`)
    .option("--allow <list:string>", `Compare all the same: ${ALLOWED.join(", ")}.`)
    .option("--format <format:string>", "terminal, md (for a pull request) or json.")
    .option("--json", "Short for --format json.")
    .option("--all", "Also show the rows that did not change.")
    .action((options, ...paths) => exit(compare(paths.map(String), OPTIONS.parse(options))));
}

function compare(paths: readonly string[], options: z.output<typeof OPTIONS>): number {
  const thresholdPct = threshold("--threshold", options.threshold ?? DEFAULT_THRESHOLD_PCT);
  const format = options.json ? "json" : oneOf("--format", options.format, FORMATS);
  const allowed = listOf("--allow", options.allow, ALLOWED);
  const [baseline, candidate] = [loadRun(paths[0]!), loadRun(paths[1]!)];
  const differing = [...identityDifferences(baseline, candidate)].filter(([kind]) =>
    !allowed.includes(kind)
  );
  if (differing.length > 0) {
    for (const [kind, what] of differing) {
      console.error(`error: Cannot compare: ${what}; --allow ${kind} compares all the same`);
    }
    return EXIT.incomplete;
  }
  const comparison = compareRuns(baseline, candidate, thresholdPct);
  if (format === "json") console.log(JSON.stringify(comparison, null, 2));
  else if (format === "md") console.log(comparisonMarkdown(comparison));
  else console.log(comparisonText(comparison, { all: options.all ?? false }));
  const incomplete = allowed.includes("incomplete") ? [] : comparison.incomplete;
  for (const what of incomplete) {
    console.error(`error: Cannot vouch for it: ${what}; --allow incomplete lets it pass`);
  }
  const { rows } = comparison;
  if (rows.some((row) => row.is_regression)) return EXIT.regression;
  const isWhole = incomplete.length === 0 && rows.some(({ ratio }) => ratio !== null);
  return isWhole ? EXIT.ok : EXIT.incomplete;
}
