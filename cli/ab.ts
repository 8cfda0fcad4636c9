import { Command, ValidationError } from "@cliffy/command";
import { resolve } from "node:path";
import { z } from "zod";
import { caseLines, loadConfig, loadRun } from "../mod.ts";
import { makeFolder } from "../records/run_folder/make_folder.ts";
import { comparePairs, type RunPair } from "../report/compare_pairs.ts";
import { COMPARE_OPTIONS, reported, settingsOf, withCompareOptions } from "./compare.ts";
import { EXIT } from "./exit_status.ts";
import { interruptible } from "./interrupt.ts";
import { openTree } from "./other_tree.ts";
import { THIS_TREE } from "./repeat_runs.ts";
import { runPairs } from "./run_pairs.ts";

/** The fewest pairs whose signs can show a change: 2 of 2^8 choices are 0.8 %. */
const DEFAULT_PAIRS = 8;

const OPTIONS = z.object({
  ...COMPARE_OPTIONS,
  config: z.string(),
  baseline: z.string(),
  pairs: z.int().default(DEFAULT_PAIRS),
  out: z.string().optional(),
});

/** `ab`: runs another version and this one in turns, and says which rows changed. */
export function abCommand(exit: (status: number) => void): Command {
  const command = new Command()
    .description(
      "Run another version of this project and this one in turns, A B B A, in processes of their own;\n" +
        "say for every row whether it changed, by pairs of runs.",
    )
    .option("--config <file:file>", "What both run, JSON.", { required: true })
    .option("--baseline <version:string>", "A commit, or a folder with another tree.", {
      required: true,
    })
    .option("--pairs <count:integer>", `Runs of each; fewer than ${DEFAULT_PAIRS} show little.`)
    .option("--out <dir:file>", "A new or empty folder for the runs.");
  return withCompareOptions(command)
    .action(async (options) => exit(await ab(OPTIONS.parse(options))));
}

async function ab(options: z.output<typeof OPTIONS>): Promise<number> {
  const { config: configPath, pairs: count, out } = options;
  const settings = settingsOf(options);
  const { filter, allow, thresholdPct } = settings;
  if (count < 1) throw new ValidationError(`Cannot take --pairs "${count}": legal are 1 and more`);
  const config = await loadConfig(configPath);
  caseLines(config, { filter }); // throws where there is nothing to run
  using baseline = openTree(options.baseline, THIS_TREE);
  const folder = makeFolder(`${config.name}-ab`, { out });
  const args = [
    ...["--config", resolve(config.path)],
    ...(options.filter === undefined ? [] : ["--filter", options.filter]),
  ];
  return await interruptible(async (signal) => {
    const ran = await runPairs({ folder, pairs: count, baseline: baseline.path, args, signal });
    if (ran.status !== EXIT.ok) return ran.status;
    const pairs = ran.folders.map(([own, other]): RunPair => [loadRun(own), loadRun(other)]);
    const status = reported(settings, () => comparePairs(pairs, thresholdPct, { allow, filter }));
    console.error(`the runs are in ${folder}`);
    return status;
  });
}
