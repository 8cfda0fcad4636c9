import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { resolve } from "node:path";
import {
  caseLines,
  type Config,
  loadConfig,
  loadRun,
  type MeasuredRun,
  measureRun,
  type RunProgress,
  writeDashboard,
} from "../mod.ts";
import { sealRun } from "../records/run_folder/run_files.ts";
import { ALGORITHM_NAMES, COLLECTIVES } from "../collectives/registry.ts";
import { KERNEL_OPS } from "../model/kernel_ops.ts";
import { SCHEDULES } from "../schedules/registry.ts";
import { EXIT } from "./exit_status.ts";
import { SUITES } from "../records/rows/suite.ts";
import { firstArrivalS } from "../bench/suites/schedules/requests.ts";
import { filterOf, suitesOf } from "./filter.ts";
import { interruptible } from "./interrupt.ts";
import { progressPrinter } from "./progress.ts";
import { drawTable } from "../report/result_table.ts";
import { label } from "../records/rows/row.ts";
import { makeFolder } from "../records/run_folder/make_folder.ts";
import { oneOf } from "./option_values.ts";
import { repeatRuns } from "./repeat_runs.ts";
import { resultsCsv, resultsJson, resultsMarkdown } from "../report/result_formats.ts";
import { SIZE_OPTIONS, sizesOf, withSizes } from "./sizes.ts";

const FORMATS = ["terminal", "md", "json", "csv"] as const;

const OPTIONS = z.object({
  config: z.string(),
  out: z.string().optional(),
  filter: z.string().optional(),
  only: z.string().optional(),
  set: z.array(z.string()).optional(),
  dryRun: z.boolean().optional(),
  resume: z.string().optional(),
  resumeAnyway: z.boolean().default(false),
  force: z.boolean().optional(),
  repeat: z.int().optional(),
  format: z.string().default("terminal"),
  ...SIZE_OPTIONS,
});

/** What can be measured, by its path in a configuration. */
const NAMES = Object.entries({
  "kernels.ops": Object.keys(KERNEL_OPS),
  "collectives.ops": Object.keys(COLLECTIVES),
  "collectives.algorithms": ALGORITHM_NAMES,
  "schedules.schedules": Object.keys(SCHEDULES),
}).map(([path, names]) => `${path}: ${names.join(", ")}.`);

/** `run`: measures the suites of a configuration. */
export function runCommand(exit: (status: number) => void): Command {
  const command = new Command()
    .description("Run the suites of a configuration, check every result, write CSV.")
    .option("--config <file:file>", "The configuration, JSON.", { required: true })
    .option("--out <dir:file>", "A new or empty folder for the results.")
    .option("--only <suites:string>", `Suites to run, with commas between: ${SUITES.join(", ")}.`)
    .option("--filter <regex:string>", "Only cases whose line in --dry-run matches.")
    .option(
      "--set <assignment:string>",
      ["Replace a value: path=value; may be repeated.", ...NAMES].join("\n"),
      { collect: true },
    )
    .option("--dry-run", "Print every case and measure nothing.")
    .option(
      "--resume <dir:file>",
      "Go on with the run in this folder: only missing rows are measured.",
    )
    .option(
      "--resume-anyway",
      "Go on though adapter, driver, commit, sources or machine are others; the manifest says so.",
    )
    .option("--force", "Use --out though it is not empty: what it holds is moved beside it.")
    .option(
      "--repeat <count:integer>",
      "Whole runs, in processes of their own, as a set in one folder.",
    )
    .option("--format <format:string>", `What is printed: ${FORMATS.join(", ")}.`);
  return withSizes(command).action(async (options) => exit(await run(OPTIONS.parse(options))));
}

async function run(options: z.output<typeof OPTIONS>): Promise<number> {
  const { resume, out: folder, force = false } = options;
  if (resume !== undefined && folder !== undefined) {
    throw new ValidationError("Cannot take --resume and --out together: --resume names the folder");
  }
  if (options.resumeAnyway && resume === undefined) {
    throw new ValidationError("Cannot take --resume-anyway alone: it goes on with --resume");
  }
  if (force && folder === undefined) {
    throw new ValidationError("Cannot take --force alone: it makes room in the folder of --out");
  }
  const { repeat } = options;
  if (repeat !== undefined && (repeat < 1 || resume !== undefined)) {
    throw new ValidationError(
      `Cannot take --repeat "${repeat}": legal are 1 and more, without --resume`,
    );
  }
  const format = oneOf("--format", options.format, FORMATS);
  const config = await loadConfig(options.config, {
    set: options.set ?? [],
    sizes: sizesOf(options),
  });
  const selection = { suites: suitesOf(options.only), filter: filterOf(options.filter) };
  if (options.dryRun) {
    caseLines(config, selection).forEach(print);
    return EXIT.ok;
  }
  if (repeat !== undefined) return await runSet(config, { ...options, repeat });
  return await interruptible(async (signal) => {
    sayFirstArrival(config);
    const printProgress = progressPrinter();
    const done = new Map<string, number>();
    const onProgress = (progress: RunProgress) => {
      done.set(progress.suite, progress.done);
      printProgress(progress);
    };
    const { resumeAnyway } = options;
    const where = { folder, force, resume, resumeAnyway };
    const request = { config, selection, ...where, onProgress, signal };
    const measured = await unlessInterrupted(signal, () => measureRun(request));
    const hasRows = SUITES.some((suite) => measured && measured[suite].length > 0);
    if (measured && (hasRows || resume !== undefined)) {
      printResults(measured, format);
      await writeDashboard([measured.folder], `${measured.folder}/report.html`);
      sealRun(measured.folder);
    }
    if (measured && !measured.interrupted) {
      return printProblems(measured.folder) ? EXIT.wrongResult : EXIT.ok;
    }
    const kept = [...done.values()].reduce((sum, count) => sum + count, 0);
    const cases = caseLines(config, selection).length;
    const rest = measured ? `; --resume ${measured.folder} measures the others` : "";
    console.error(`interrupted, ${kept} of ${cases} cases kept${rest}`);
    return EXIT.interrupted;
  });
}

/** Says where a trace's clock does not begin at 0; each run of a set says it for itself. */
function sayFirstArrival(config: Config): void {
  const firstS = firstArrivalS(config);
  if (firstS === 0) return;
  console.error(`the trace's first request comes at ${firstS} s: arrivals are counted from there`);
}

/** What was run; undefined where the signal ended it before it had begun. */
async function unlessInterrupted<T>(
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    return undefined;
  }
}

/** Measures the same again and again, with no process in common. */
async function runSet(
  config: Config,
  options: z.output<typeof OPTIONS> & { readonly repeat: number },
): Promise<number> {
  const { repeat, out, force = false } = options;
  const folder = makeFolder(config.name, { out, force });
  const one = (name: string, value: unknown) => value === undefined ? [] : [name, String(value)];
  const args = [
    ...["--config", resolve(config.path)],
    ...one("--only", options.only),
    ...one("--filter", options.filter),
    ...(options.set ?? []).flatMap((assignment) => ["--set", assignment]),
    ...one("--tensor-parallel-size", options.tensorParallelSize),
    ...one("--pipeline-parallel-size", options.pipelineParallelSize),
    ...one("--data-parallel-size", options.dataParallelSize),
  ];
  return await interruptible(async (signal) => {
    const { folders, status } = await repeatRuns({ folder, repeat, args, signal });
    folders.forEach(print);
    print(folder);
    return status;
  });
}

function printResults(measured: MeasuredRun, format: typeof FORMATS[number]): void {
  const { paths, timelines } = measured;
  if (format === "md") return print(resultsMarkdown(measured));
  if (format === "json") return print(resultsJson(measured, paths));
  if (format === "csv") return print(resultsCsv(paths));
  const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
  const measuredSuites = SUITES.filter((suite) => paths.some((p) => p.endsWith(`${suite}.csv`)));
  for (const suite of measuredSuites) print(drawTable(suite, measured, width));
  timelines.forEach(print);
  paths.forEach(print);
}

/**
 * Says on stderr why rows of a run have no good result, those from before a resume too; tells whether one of
 * them is wrong or failed.
 */
function printProblems(folder: string): boolean {
  let isBad = false;
  for (const { suite, rows } of loadRun(folder).suites) {
    for (const row of rows) {
      if (row["status"] !== "wrong" && row["status"] !== "failed") continue;
      isBad = true;
      console.error(`${row["status"]}: ${label(suite, row)}: ${row["reason"]}`);
    }
  }
  return isBad;
}

function print(text: string): void {
  console.log(text);
}
