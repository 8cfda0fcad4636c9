import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { type Config, loadConfig } from "../bench/config.ts";
import type { CsvWriter } from "../bench/csv_writer.ts";
import { describeEnvironment } from "../bench/environment.ts";
import { collectiveCases, collectiveLabel, type RankGroup } from "../bench/collective_cases.ts";
import type { LinkFit } from "../bench/links.ts";
import { writeLink } from "../bench/links_file.ts";
import { runCollectives } from "../bench/run_collectives.ts";
import type { CollectiveRow, KernelRow, ScheduleRow } from "../bench/row.ts";
import { createRunFolder, resumeRunFolder } from "../bench/run_folder.ts";
import { caseLabel, casesOf, runKernels } from "../bench/run_kernels.ts";
import { runSchedules } from "../bench/run_schedules.ts";
import { scheduleCases, scheduleLabel } from "../bench/schedule_cases.ts";
import { ScheduleFiles } from "../bench/schedule_files.ts";
import type { SampleRecord } from "../bench/sample_record.ts";
import { Session } from "../bench/session.ts";
import { Device } from "../device/device.ts";
import { EXIT } from "./exit_status.ts";
import { filterOf, RUNNABLE, type RunnableSuite, suitesOf } from "./filter.ts";
import { progressPrinter } from "./progress.ts";
import { collectiveTable, kernelTable, scheduleTable } from "./result_table.ts";
import { SIZE_OPTIONS, sizesOf, withSizes } from "./sizes.ts";

const OPTIONS = z.object({
  config: z.string(),
  out: z.string().optional(),
  filter: z.string().optional(),
  only: z.string().optional(),
  set: z.array(z.string()).optional(),
  dryRun: z.boolean().optional(),
  resume: z.string().optional(),
  force: z.boolean().optional(),
  ...SIZE_OPTIONS,
});

/** Twice this is evicted in cold mode where the machine does not say how large its cache is. */
const DEFAULT_CACHE_BYTES = 32 * 2 ** 20;

/** `run`: measures the suites of a configuration. */
export function runCommand(exit: (status: number) => void): Command {
  const command = new Command()
    .description("Run the suites of a configuration, check every result, write CSV.")
    .option("--config <file:file>", "The configuration, JSON.", { required: true })
    .option("--out <dir:file>", "A new or empty folder for the results.")
    .option("--only <suites:string>", `Suites to run, with commas between: ${RUNNABLE.join(", ")}.`)
    .option("--filter <regex:string>", "Only cases whose line in --dry-run matches.")
    .option("--set <assignment:string>", "Replace a value: path=value; may be repeated.", {
      collect: true,
    })
    .option("--dry-run", "Print every case and measure nothing.")
    .option(
      "--resume <dir:file>",
      "Go on with the run in this folder: only missing rows are measured.",
    )
    .option("--force", "Use --out though it is not empty: what it holds is moved beside it.");
  return withSizes(command).action(async (options) => exit(await run(OPTIONS.parse(options))));
}

async function run(options: z.output<typeof OPTIONS>): Promise<number> {
  if (options.resume !== undefined && options.out !== undefined) {
    throw new ValidationError("Cannot take --resume and --out together: --resume names the folder");
  }
  if (options.force && options.out === undefined) {
    throw new ValidationError("Cannot take --force alone: it makes room in the folder of --out");
  }
  const config = await loadConfig(options.config, {
    set: options.set ?? [],
    sizes: sizesOf(options),
  });
  const filter = filterOf(options.filter);
  const suites = suitesOf(options.only).filter((suite) => config[suite] !== undefined);
  if (options.dryRun) {
    if (suites.includes("kernels")) casesOf(config, filter).map(caseLabel).forEach(print);
    if (suites.includes("collectives")) {
      collectiveCases(config, filter).map(collectiveLabel).forEach(print);
    }
    if (suites.includes("schedules")) {
      scheduleCases(config, filter).map(scheduleLabel).forEach(print);
    }
    return EXIT.ok;
  }
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  Deno.addSignalListener("SIGINT", onInterrupt);
  try {
    return await measure(config, { options, filter, suites, signal: interrupt.signal });
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
  }
}

async function measure(config: Config, how: {
  readonly options: z.output<typeof OPTIONS>;
  readonly filter: RegExp | undefined;
  readonly suites: readonly RunnableSuite[];
  readonly signal: AbortSignal;
}): Promise<number> {
  const { options, filter, suites, signal } = how;
  await using device = await Device.open({
    powerPreference: config.adapter.power_preference,
    allowSoftware: config.adapter.allow_software,
  });
  using folder = options.resume === undefined
    ? createRunFolder(config, { out: options.out, force: options.force ?? false })
    : resumeRunFolder(options.resume, config);
  folder.updateManifest({
    environment: describeEnvironment({ argv: Deno.args }),
    adapter: device.identity,
  });
  using session = await Session.open(device, "tuning");
  const tables: string[] = [];
  const statuses: (string | undefined)[] = [];
  const suiteRun = <Row extends KernelRow | CollectiveRow | ScheduleRow>(
    rows: Row[],
    csv: CsvWriter,
  ) => ({
    runId: folder.runId,
    filter,
    finished: csv.finished,
    memoryBytes: Deno.systemMemoryInfo().available,
    signal,
    onRow: (row: Row, series: SampleRecord["series"]) => {
      folder.appendSamples({ row_key: row.row_key ?? "", series });
      csv.write(row);
      rows.push(row);
      statuses.push(row.status);
    },
    onProgress: progressPrinter(),
  });
  if (suites.includes("kernels")) {
    const rows: KernelRow[] = [];
    const csv = folder.rows("kernels");
    const cacheBytes = lastLevelCacheBytes() ?? DEFAULT_CACHE_BYTES;
    await runKernels(config, session, { ...suiteRun(rows, csv), cacheBytes });
    tables.push(kernelTable(rows), csv.path);
  }
  if (suites.includes("collectives") && !signal.aborted) {
    const rows: CollectiveRow[] = [];
    const csv = folder.rows("collectives");
    const onLink = (group: RankGroup, fit: LinkFit) => writeLink(folder.path, group, fit);
    await runCollectives(config, session, { ...suiteRun(rows, csv), onLink });
    tables.push(collectiveTable(rows), csv.path);
  }
  if (suites.includes("schedules") && !signal.aborted) {
    const rows: ScheduleRow[] = [];
    const csv = folder.rows("schedules");
    const files = new ScheduleFiles(folder.path);
    await runSchedules(config, session, {
      ...suiteRun(rows, csv),
      onTrace: (label, repetition) => files.addTrace(label, repetition),
      onRanks: (ranks) => files.addRanks(ranks),
    });
    tables.push(scheduleTable(rows), ...files.texts, csv.path);
  }
  folder.updateManifest({ ...session.report(), interrupted: signal.aborted });
  const isPath = (text: string) => text.endsWith(".csv");
  for (const text of tables.filter((text) => !isPath(text))) print(text);
  for (const path of tables.filter(isPath)) print(path);
  if (signal.aborted) return EXIT.interrupted;
  return statuses.includes("wrong") ? EXIT.wrongResult : EXIT.ok;
}

function print(text: string): void {
  console.log(text);
}

/** The size of the last-level cache, where Linux says it. */
function lastLevelCacheBytes(): number | undefined {
  try {
    const text = Deno.readTextFileSync("/sys/devices/system/cpu/cpu0/cache/index3/size").trim();
    const [, size, unit] = /^(\d+)([KM])$/.exec(text) ?? [];
    return size === undefined ? undefined : Number(size) * (unit === "M" ? 2 ** 20 : 2 ** 10);
  } catch {
    return undefined;
  }
}
