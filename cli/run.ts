import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { loadConfig } from "../config/config.ts";
import { createRunFolder, resumeRunFolder } from "../records/run_folder/run_folder.ts";
import { writeDashboard } from "./dashboard.ts";
import { EXIT } from "./exit_status.ts";
import { SUITES } from "../records/rows/suite.ts";
import { filterOf, suitesOf } from "./filter.ts";
import { interruptible } from "./interrupt.ts";
import { progressPrinter } from "./progress.ts";
import { caseLines, type MeasuredRun, measureRun } from "../bench/suites/measure_run.ts";
import { collectiveTable, kernelTable, scheduleTable } from "./result_table.ts";
import { resultsCsv, resultsJson, resultsMarkdown } from "./result_formats.ts";
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
  force: z.boolean().optional(),
  format: z.string().default("terminal"),
  ...SIZE_OPTIONS,
});

/** `run`: measures the suites of a configuration. */
export function runCommand(exit: (status: number) => void): Command {
  const command = new Command()
    .description("Run the suites of a configuration, check every result, write CSV.")
    .option("--config <file:file>", "The configuration, JSON.", { required: true })
    .option("--out <dir:file>", "A new or empty folder for the results.")
    .option("--only <suites:string>", `Suites to run, with commas between: ${SUITES.join(", ")}.`)
    .option("--filter <regex:string>", "Only cases whose line in --dry-run matches.")
    .option("--set <assignment:string>", "Replace a value: path=value; may be repeated.", {
      collect: true,
    })
    .option("--dry-run", "Print every case and measure nothing.")
    .option(
      "--resume <dir:file>",
      "Go on with the run in this folder: only missing rows are measured.",
    )
    .option("--force", "Use --out though it is not empty: what it holds is moved beside it.")
    .option("--format <format:string>", `What is printed: ${FORMATS.join(", ")}.`);
  return withSizes(command).action(async (options) => exit(await run(OPTIONS.parse(options))));
}

async function run(options: z.output<typeof OPTIONS>): Promise<number> {
  const { resume, out, force = false } = options;
  if (resume !== undefined && out !== undefined) {
    throw new ValidationError("Cannot take --resume and --out together: --resume names the folder");
  }
  if (force && out === undefined) {
    throw new ValidationError("Cannot take --force alone: it makes room in the folder of --out");
  }
  const format = FORMATS.find((known) => known === options.format);
  if (!format) {
    const legal = FORMATS.join(", ");
    throw new ValidationError(`Cannot use --format "${options.format}": legal are ${legal}`);
  }
  const config = await loadConfig(options.config, {
    set: options.set ?? [],
    sizes: sizesOf(options),
  });
  const suites = suitesOf(options.only).filter((suite) => config[suite] !== undefined);
  const selection = { suites, filter: filterOf(options.filter) };
  if (options.dryRun) {
    caseLines(config, selection).forEach(print);
    return EXIT.ok;
  }
  return await interruptible(async (signal) => {
    const open = () =>
      resume === undefined
        ? createRunFolder(config, { out, force })
        : resumeRunFolder(resume, config);
    const measured = await measureRun(config, selection, {
      open,
      signal,
      progress: progressPrinter,
    });
    await writeDashboard([measured.folder], `${measured.folder}/report.html`);
    printResults(measured, format);
    if (signal.aborted) return EXIT.interrupted;
    const { kernels, collectives, schedules } = measured;
    const rows = [...kernels, ...collectives, ...schedules];
    return rows.some(({ status }) => status === "wrong") ? EXIT.wrongResult : EXIT.ok;
  });
}

function printResults(measured: MeasuredRun, format: typeof FORMATS[number]): void {
  if (format === "md") return print(resultsMarkdown(measured));
  if (format === "json") return print(resultsJson(measured));
  if (format === "csv") return print(resultsCsv(measured));
  const { kernels, collectives, schedules, paths, timelines } = measured;
  const has = (suite: string) => paths.some((path) => path.endsWith(`${suite}.csv`));
  if (has("kernels")) print(kernelTable(kernels));
  if (has("collectives")) print(collectiveTable(collectives));
  if (has("schedules")) print(scheduleTable(schedules));
  timelines.forEach(print);
  paths.forEach(print);
}

function print(text: string): void {
  console.log(text);
}
