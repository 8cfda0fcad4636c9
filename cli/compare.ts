import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { byNames, compareBy } from "../report/compare_by.ts";
import { comparisonCsv } from "../report/compare_csv.ts";
import { compareRuns } from "../report/compare_runs.ts";
import { comparisonMarkdown, comparisonSummary, comparisonText } from "../report/compare_text.ts";
import type { Comparison } from "../report/comparison.ts";
import { readFloor } from "../report/floor_file.ts";
import { ComparisonError, type Difference, DIFFERENCES } from "../report/run_differences.ts";
import { loadRuns } from "../records/run_folder/load_runs.ts";
import { writeNew } from "../records/files/write_whole.ts";
import { EXIT } from "./exit_status.ts";
import { filterOf } from "./filter.ts";
import { listOf, oneOf, threshold } from "./option_values.ts";

const FORMATS = ["text", "md", "json", "csv"] as const;
/** What may be allowed: runs that differ, and comparisons that are `incomplete`. */
const ALLOWED = [...DIFFERENCES, "incomplete"] as const;

/** Changes below this percentage do not count: see `selftest` for what it finds and what it invents. */
export const DEFAULT_THRESHOLD_PCT = 3;

/** Options of commands that print a comparison, as parsed. */
export const COMPARE_OPTIONS = {
  threshold: z.number().default(DEFAULT_THRESHOLD_PCT),
  allow: z.string().optional(),
  filter: z.string().optional(),
  format: z.string().default("text"),
  json: z.boolean().optional(),
  all: z.boolean().optional(),
};

const OPTIONS = z.object({
  ...COMPARE_OPTIONS,
  out: z.string().optional(),
  by: z.string().optional(),
  baseline: z.string().optional(),
  tuning: z.string().optional(),
});

/** Adds what commands that print a comparison have in common. */
export function withCompareOptions(command: Command): Command {
  return command
    .option("--threshold <pct:number>", `Least change that counts, in %; ${DEFAULT_THRESHOLD_PCT}.`)
    .option("--filter <regex:string>", "Only rows whose label matches.")
    .option("--format <format:string>", `What is printed: ${FORMATS.join(", ")}.`)
    .option("--json", "Short for --format json.")
    .option("--all", "Also show the rows that did not change.")
    .option("--allow <list:string>", `Compare all the same: ${ALLOWED.join(", ")}.`);
}

/** `compare`: says for every row of two sides whether it changed. */
export function compareCommand(exit: (status: number) => void): Command {
  const command = new Command()
    .description(
      "Say for every row of two runs whether it changed, and by how much.\n" +
        "Each side may be several runs, with commas between, or a set of --repeat;\n" +
        "with --by, rows of one run are compared that differ in that column only.",
    )
    .arguments("<baseline:file> [candidate:file]")
    .option("--by <column:string>", "Compare rows of one run: variant, schedule, depth, layout ...")
    .option("--baseline <value:string>", "With --by: the value that others are compared with.")
    .option("--tuning <dir:file>", "Where the noise floor is kept; tuning beside the program.")
    .option("--out <file:file>", "A new file for the comparison, in the chosen format.");
  return withCompareOptions(command)
    .action((options, ...paths) =>
      exit(compare(paths.filter((path) => path !== undefined).map(String), OPTIONS.parse(options)))
    );
}

function compare(paths: readonly string[], options: z.output<typeof OPTIONS>): number {
  const settings = settingsOf(options);
  const { by, baseline, out, tuning } = options;
  const [first, second] = paths;
  if (by === undefined && baseline !== undefined) {
    throw new ValidationError("Cannot take --baseline alone: it is a value of --by");
  }
  if (by !== undefined) {
    if (second !== undefined) {
      throw new ValidationError("Cannot take two runs with --by: it compares rows of one");
    }
    return reported({ ...settings, out }, rowsBy(first!, { ...settings, by, baseline, tuning }));
  }
  if (second === undefined) {
    throw new ValidationError(
      "missing required argument 'candidate'; --by compares rows of one run",
    );
  }
  const [own, other] = [loadRuns(first!), loadRuns(second)];
  const { thresholdPct, allow, filter } = settings;
  const floor = readFloor(own[0]!, tuning);
  return reported(
    { ...settings, out },
    () => compareRuns(own, other, thresholdPct, { allow, filter, floor }),
  );
}

function rowsBy(
  path: string,
  { by, baseline, tuning, thresholdPct, filter }: Settings & {
    readonly by: string;
    readonly baseline: string | undefined;
    readonly tuning: string | undefined;
  },
): () => Comparison {
  const [run, ...others] = loadRuns(path);
  if (others.length > 0) {
    throw new ValidationError(
      `Cannot compare by "${by}" in "${path}": it is ${others.length + 1} runs`,
    );
  }
  const name = oneOf("--by", by, byNames(run!));
  return () =>
    compareBy(run!, { by: name, baseline, thresholdPct, filter, floor: readFloor(run!, tuning) });
}

/** What was asked of a comparison. */
export interface Settings {
  readonly thresholdPct: number;
  /** In what runs may differ. */
  readonly allow: readonly Difference[];
  /** Whether an incomplete comparison lets a gate pass. */
  readonly passIncomplete: boolean;
  readonly filter: RegExp | undefined;
  readonly format: typeof FORMATS[number];
  readonly all: boolean;
}

/** Checks options; ValidationError where one has no legal value. */
export function settingsOf(options: z.output<z.ZodObject<typeof COMPARE_OPTIONS>>): Settings {
  const allowed = listOf("--allow", options.allow, ALLOWED);
  return {
    thresholdPct: threshold("--threshold", options.threshold),
    allow: DIFFERENCES.filter((difference) => allowed.includes(difference)),
    passIncomplete: allowed.includes("incomplete"),
    filter: filterOf(options.filter),
    format: options.json ? "json" : oneOf("--format", options.format, FORMATS),
    all: options.all ?? false,
  };
}

/**
 * Compares, and prints what was found, or writes it to a new file; returns the exit status that it amounts
 * to. What the rows leave nothing of is bad usage; runs that differ are named on stderr.
 */
export function reported(
  settings: Settings & { readonly out?: string | undefined },
  compare: () => Comparison,
): number {
  try {
    return report(compare(), settings);
  } catch (error) {
    if (error instanceof RangeError) throw new ValidationError(error.message);
    if (!(error instanceof ComparisonError)) throw error;
    for (const [kind, what] of error.differences) {
      console.error(`error: Cannot compare: ${what}; --allow ${kind} compares all the same`);
    }
    return EXIT.incomplete;
  }
}

function report(
  comparison: Comparison,
  { format, all, passIncomplete, out }: Settings & { readonly out?: string | undefined },
): number {
  const text = format === "json"
    ? JSON.stringify(comparison, null, 2)
    : format === "csv"
    ? comparisonCsv(comparison).trimEnd()
    : format === "md"
    ? comparisonMarkdown(comparison)
    : comparisonText(comparison, { all });
  if (out === undefined) console.log(text);
  else {
    writeNew(out, `${text}\n`);
    console.log(`${comparisonSummary(comparison)}\n${out}`);
  }
  const incomplete = passIncomplete ? [] : comparison.incomplete;
  for (const what of incomplete) {
    console.error(`error: Cannot vouch for it: ${what}; --allow incomplete lets it pass`);
  }
  const { rows } = comparison;
  if (rows.some((row) => row.is_regression)) return EXIT.regression;
  const isWhole = incomplete.length === 0 && rows.some(({ ratio }) => ratio !== null);
  return isWhole ? EXIT.ok : EXIT.incomplete;
}
