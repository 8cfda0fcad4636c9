import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { loadConfig } from "../bench/config.ts";
import { describeEnvironment } from "../bench/environment.ts";
import type { Sample } from "../bench/measure.ts";
import type { KernelRow } from "../bench/row.ts";
import { createRunFolder, resumeRunFolder } from "../bench/run_folder.ts";
import { caseLabel, casesOf, runKernels } from "../bench/run_kernels.ts";
import { Device } from "../device/device.ts";
import { EXIT } from "./exit_status.ts";
import { filterOf } from "./filter.ts";
import { progressPrinter } from "./progress.ts";
import { resultTable } from "./result_table.ts";
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
      ? createRunFolder(config, { out: options.out, force: options.force ?? false })
      : resumeRunFolder(options.resume, config);
    folder.updateManifest({
      environment: describeEnvironment({ argv: Deno.args }),
      adapter: device.identity,
    });
    const rows: KernelRow[] = [];
    const csv = folder.rows("kernels");
    const report = await runKernels(config, device, {
      runId: folder.runId,
      modelName: config.model.name,
      filter,
      finished: csv.finished,
      tuningFolder: "tuning",
      cacheBytes: lastLevelCacheBytes() ?? DEFAULT_CACHE_BYTES,
      memoryBytes: Deno.systemMemoryInfo().available,
      signal: interrupt.signal,
      onRow: (row, samples) => {
        folder.appendSamples({ row_key: row.row_key ?? "", series: seriesOf(samples) });
        csv.write(row);
        rows.push(row);
      },
      onProgress: progressPrinter(),
    });
    folder.updateManifest({ ...report, interrupted: interrupt.signal.aborted });
    console.log(resultTable(rows));
    console.log(csv.path);
    if (interrupt.signal.aborted) return EXIT.interrupted;
    return rows.some((row) => row.status === "wrong") ? EXIT.wrongResult : EXIT.ok;
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
  }
}

function seriesOf(samples: readonly Sample[]): Record<string, number[]> {
  return {
    gpu_us: samples.flatMap((s) => s.gpuUs === undefined ? [] : [s.gpuUs]),
    host_us: samples.map((s) => s.hostUs),
    submit_us: samples.map((s) => s.submitUs),
  };
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
