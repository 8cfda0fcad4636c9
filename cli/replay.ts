import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { loadRun, measureRun, resolveConfig } from "../mod.ts";
import { readManifest } from "../records/run_folder/manifest.ts";
import { replayed } from "../report/replay_runs.ts";
import { EXIT } from "./exit_status.ts";
import { filterOf, suitesOf } from "./filter.ts";
import { interruptible } from "./interrupt.ts";
import { progressPrinter } from "./progress.ts";

const OPTIONS = z.object({ out: z.string().optional(), tolerance: z.number().default(20) });
const SELECTION = z.object({ suites: z.array(z.string()), filter: z.string().nullable() });

/** `replay`: runs a manifest again and says row by row whether it was reproduced. */
export function replayCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Run a finished run's manifest again; say row by row whether it was reproduced.")
    .arguments("<run:file>")
    .option("--out <dir:file>", "A new or empty folder for the new run.")
    .option(
      "--tolerance <pct:number>",
      "How far times may be apart, in %, beyond their intervals; 20.",
    )
    .action(async (options, path) => exit(await replay(String(path), OPTIONS.parse(options))));
}

async function replay(path: string, options: z.output<typeof OPTIONS>): Promise<number> {
  const { out, tolerance } = options;
  if (!(tolerance >= 0)) {
    throw new ValidationError(`Cannot use --tolerance "${tolerance}": legal are 0 and more`);
  }
  const before = loadRun(path);
  const manifest = readManifest(path);
  const config = resolveConfig(manifest.configuration, { path: `${path}/manifest.json` });
  const selected = SELECTION.safeParse(manifest["selection"]).data;
  const selection = {
    suites: suitesOf(selected?.suites.join(",")),
    filter: filterOf(selected?.filter ?? undefined),
  };
  return await interruptible(async (signal) => {
    const onProgress = progressPrinter();
    const { folder } = await measureRun({ config, selection, folder: out, onProgress, signal });
    if (signal.aborted) return EXIT.interrupted;
    const { rows, machine, shaders } = replayed(before, loadRun(folder), tolerance);
    for (const line of [...machine, ...shaders]) console.log(line);
    for (const { verdict, label, reason } of rows) console.log(`${verdict}: ${label}: ${reason}`);
    const reproduced = rows.filter(({ verdict }) => verdict === "reproduced").length;
    console.log(`${reproduced} of ${rows.length} rows reproduced; the new run is in ${folder}`);
    return reproduced === rows.length && rows.length > 0 ? EXIT.ok : EXIT.incomplete;
  });
}
