import { Command } from "@cliffy/command";
import { z } from "zod";
import { loadConfig } from "../bench/config.ts";
import { CsvWriter } from "../bench/csv_writer.ts";
import { readEnvironment } from "../bench/environment.ts";
import { type KernelRow, KERNELS_CSV } from "../bench/row.ts";
import { configurationHash, RunFolder } from "../bench/run_folder.ts";
import { caseLabel, casesOf, runKernels } from "../bench/run_kernels.ts";
import { Device } from "../device/device.ts";
import { EXIT } from "./exit_status.ts";
import { filterOf } from "./filter.ts";
import { progressPrinter } from "./progress.ts";
import { resultTable } from "./result_table.ts";

const OPTIONS = z.object({
  config: z.string(),
  out: z.string().optional(),
  filter: z.string().optional(),
  only: z.string().optional(),
  set: z.array(z.string()).optional(),
  dryRun: z.boolean().optional(),
  resume: z.string().optional(),
});

/** Twice this is evicted in cold mode where the machine does not say how large its cache is. */
const DEFAULT_CACHE_BYTES = 32 * 2 ** 20;

/** `run`: measures the suites of a configuration. */
export function runCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Run the suites of a configuration, check every result, write CSV.")
    .option("--config <file:file>", "The configuration, JSON.", { required: true })
    .option("--out <dir:file>", "A new or empty folder for the results.")
    .option("--only <suites:string>", "Suites to run: kernels.")
    .option("--filter <regex:string>", "Only cases whose line in --dry-run matches.")
    .option("--set <assignment:string>", "Replace a value: path=value; may be repeated.", {
      collect: true,
    })
    .option("--dry-run", "Print every case and measure nothing.")
    .option(
      "--resume <dir:file>",
      "Go on with the run in this folder: only missing rows are measured.",
    )
    .action(async (options) => exit(await run(OPTIONS.parse(options))));
}

async function run(options: z.output<typeof OPTIONS>): Promise<number> {
  const config = await loadConfig(options.config, { set: options.set ?? [] });
  const filter = filterOf(options.filter, options.only);
  if (options.dryRun) {
    for (const case_ of casesOf(config, filter)) console.log(caseLabel(case_));
    return EXIT.ok;
  }
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  Deno.addSignalListener("SIGINT", onInterrupt);
  try {
    await using device = await Device.open({
      powerPreference: config.adapter.power_preference,
      allowSoftware: config.adapter.allow_software,
    });
    using folder = options.resume === undefined
      ? RunFolder.create({ name: config.name, out: options.out })
      : RunFolder.resume(options.resume, config.document);
    const environment = readEnvironment();
    const runId = `${config.name}/${new Date().toISOString()}`;
    const manifest = (finished: object | undefined) =>
      folder.writeWhole(
        "manifest.json",
        JSON.stringify(
          {
            schema_version: 1,
            run_id: runId,
            configuration_hash: configurationHash(config.document),
            configuration: config.document,
            environment,
            adapter: device.identity,
            ...finished,
          },
          null,
          2,
        ) + "\n",
      );
    manifest(undefined);
    const rows: KernelRow[] = [];
    using csv = CsvWriter.open(`${folder.path}/kernels.csv`, KERNELS_CSV);
    const ceilings = await runKernels(config, device, {
      runId,
      modelName: config.model.name,
      filter,
      finished: folder.finishedKeys("kernels.csv"),
      tuningFolder: "tuning",
      cacheBytes: environment.lastLevelCacheBytes ?? DEFAULT_CACHE_BYTES,
      signal: interrupt.signal,
      onRow: (row, samples) => {
        folder.appendSamples({ row_key: row.row_key, samples });
        csv.write(row);
        rows.push(row);
      },
      onProgress: progressPrinter(),
    });
    manifest({ ceilings, interrupted: interrupt.signal.aborted });
    console.log(resultTable(rows));
    console.log(`${folder.path}/kernels.csv`);
    if (interrupt.signal.aborted) return EXIT.interrupted;
    return rows.some((row) => row.status === "wrong") ? EXIT.wrongResult : EXIT.ok;
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
  }
}
