/** Whether a second run of the same manifest gave what the first one did. */

import { label } from "../records/rows/row.ts";
import type { LoadedRun, TextRow } from "../records/run_folder/load_run.ts";

/** What is said of a row. */
export interface ReplayedRow {
  readonly verdict: "reproduced" | "not reproduced" | "different machine";
  readonly label: string;
  readonly reason: string;
}

/** What two runs of one manifest have in common. */
export interface Replayed {
  readonly rows: readonly ReplayedRow[];
  /** How the machines differ; empty where they do not. */
  readonly machine: readonly string[];
  /** Shaders whose text differs. */
  readonly shaders: readonly string[];
}

/** Columns that the same work gives again, whatever the machine's speed. */
const EXACT = [
  "status",
  "wrong_elements",
  "max_abs_error",
  "tolerance",
  "flops",
  "bytes",
  "elements",
  "steps",
  "sent_bytes_per_rank",
  "token_mismatches",
  "all_reduces",
  "all_gathers",
  "sends",
  "collective_bytes",
  "weight_bytes",
  "kv_cache_bytes",
];

/**
 * Compares a run with its replay: exact columns must be equal; times may be `tolerancePct` apart beyond
 * their intervals, since machines drift. On another machine times say nothing.
 */
export function replayed(before: LoadedRun, after: LoadedRun, tolerancePct: number): Replayed {
  const machine = machineDifferences(before, after);
  const news = new Map(
    after.suites.flatMap(({ rows }) => rows.map((row) => [row["row_key"], row] as const)),
  );
  const rows = before.suites.flatMap(({ suite, rows }) =>
    rows.map((row): ReplayedRow => {
      const said = (verdict: ReplayedRow["verdict"], reason: string) => ({
        verdict,
        label: label(suite, row),
        reason,
      });
      const again = news.get(row["row_key"]);
      if (!again) return said("not reproduced", "it is not in the new run");
      const wrong = exactProblem(row, again);
      if (wrong !== undefined) return said("not reproduced", wrong);
      if (machine.length > 0) return said("different machine", "results are equal");
      const slow = timeProblem(row, again, tolerancePct);
      return slow === undefined
        ? said("reproduced", timeRatio(row, again))
        : said("not reproduced", slow);
    })
  );
  return { rows, machine, shaders: shaderDifferences(before, after) };
}

function exactProblem(row: TextRow, again: TextRow): string | undefined {
  // Counts of a batch queue depend on which batches formed, those of auto on what it chose.
  const varying = row["schedule"] === "step_with_batch_queue"
    ? /^(all_|sends|collective_)/
    : row["algorithm"] === "auto"
    ? /^(steps|sent_)/
    : /^$/;
  const columns = EXACT.filter((column) => !varying.test(column));
  const column = columns.find((name) => (row[name] ?? "") !== (again[name] ?? ""));
  return column && `${column} was ${row[column] || "blank"} and is ${again[column] || "blank"}`;
}

function timeProblem(row: TextRow, again: TextRow, tolerancePct: number): string | undefined {
  const [low, high] = interval(row);
  const [lowAgain, highAgain] = interval(again);
  const slack = 1 + tolerancePct / 100;
  const isApart = lowAgain > high * slack || highAgain * slack < low;
  return isApart ? timeRatio(row, again) : undefined;
}

function interval(row: TextRow): readonly [number, number] {
  return [Number(row["time_us_ci_low"]), Number(row["time_us_ci_high"])];
}

function timeRatio(row: TextRow, again: TextRow): string {
  const ratio = Number(again["time_us_median"]) / Number(row["time_us_median"]);
  return Number.isFinite(ratio) ? `time ${ratio.toFixed(3)} of what it was` : "no time";
}

function machineDifferences(a: LoadedRun, b: LoadedRun): readonly string[] {
  const about = ({ manifest }: LoadedRun): Record<string, unknown> => {
    const environment = Object(manifest?.["environment"]);
    return {
      adapter: Object(manifest?.["adapter"])["name"],
      cpu_model: environment["cpu_model"],
      logical_cores: environment["logical_cores"],
      os: environment["os"],
    };
  };
  const [own, other] = [about(a), about(b)];
  return Object.keys(own).filter((key) => own[key] !== other[key])
    .map((key) => `different machine: ${key} was ${own[key]} and is ${other[key]}`);
}

function shaderDifferences(a: LoadedRun, b: LoadedRun): readonly string[] {
  const [own, other] = [a, b].map(({ manifest }) => Object(manifest?.["shaders"])) as [
    Record<string, string>,
    Record<string, string>,
  ];
  return [...new Set([...Object.keys(own), ...Object.keys(other)])].sort()
    .filter((name) => own[name] !== other[name])
    .map((name) => `shader ${name}: ${own[name] ?? "not used"}, now ${other[name] ?? "not used"}`);
}
