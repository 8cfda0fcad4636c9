import { Command, ValidationError } from "@cliffy/command";
import { resolve } from "node:path";
import { z } from "zod";
import { loadRun } from "../mod.ts";
import { makeFolder } from "../records/run_folder/make_folder.ts";
import { writeFloor } from "../report/floor_file.ts";
import { LEAST_RUNS, selftest, selftestText } from "../report/selftest.ts";
import {
  coverageText,
  simulateAll,
  simulateCoverage,
  simulatedText,
} from "../report/simulate_verdicts.ts";
import { DEFAULT_THRESHOLD_PCT } from "./compare.ts";
import { EXIT } from "./exit_status.ts";
import { interruptible } from "./interrupt.ts";
import { threshold } from "./option_values.ts";
import { repeatRuns } from "./repeat_runs.ts";

const OPTIONS = z.object({
  config: z.string().optional(),
  repeat: z.int().default(6),
  out: z.string().optional(),
  tuning: z.string().optional(),
  simulate: z.int().optional(),
  threshold: z.number().default(DEFAULT_THRESHOLD_PCT),
  json: z.boolean().optional(),
});

/** Some rows of every suite, from tens of microseconds to tens of milliseconds. */
const CONFIG = new URL("../configs/selftest.json", import.meta.url).pathname;

/** `selftest`: how far rows move between runs here; false alarms and detection power of `compare`. */
export function selftestCommand(exit: (status: number) => void): Command {
  return new Command()
    .description(
      "Run unchanged code again and again; keep how far rows move between runs, for compare;\n" +
        "say how often compare invents a change here, and how often it finds one.",
    )
    .option("--repeat <count:integer>", "Runs, each in a process of its own; 6.")
    .option("--config <file:file>", "What is run; configs/selftest.json where absent.")
    .option("--out <dir:file>", "A new or empty folder that keeps the runs, a set for compare.")
    .option("--tuning <dir:file>", "Where the noise floor is kept; tuning beside the program.")
    .option(
      "--simulate <pairs:integer>",
      "Judge simulated machines instead, so many pairs of each.",
    )
    .option("--threshold <pct:number>", `Least change that counts, in %; ${DEFAULT_THRESHOLD_PCT}.`)
    .option("--json", "Print JSON.")
    .action(async (options) => exit(await run(OPTIONS.parse(options))));
}

async function run(options: z.output<typeof OPTIONS>): Promise<number> {
  const { json = false, simulate, repeat, out } = options;
  const thresholdPct = threshold("--threshold", options.threshold);
  if (simulate !== undefined) {
    if (simulate < 1) {
      throw new ValidationError(`Cannot simulate "${simulate}" pairs: legal are 1 and more`);
    }
    const [verdicts, coverage] = [simulateAll(simulate), simulateCoverage(simulate)];
    console.log(
      json
        ? JSON.stringify({ verdicts, coverage }, null, 2)
        : `${simulatedText(verdicts)}\n\n${coverageText(coverage)}`,
    );
    return EXIT.ok;
  }
  if (repeat < LEAST_RUNS) {
    throw new ValidationError(
      `Cannot take --repeat "${repeat}": legal are ${LEAST_RUNS} and more, so that two runs are judged by others`,
    );
  }
  const kept = out === undefined ? undefined : makeFolder("selftest", { out });
  const folder = kept ?? await Deno.makeTempDir({ prefix: "shardbench-selftest-" });
  try {
    return await interruptible(async (signal) => {
      const args = ["--config", resolve(options.config ?? CONFIG)];
      const { folders, status } = await repeatRuns({ folder, repeat, args, signal });
      if (status !== EXIT.ok) return status;
      const result = selftest(folders.map(loadRun), thresholdPct);
      const path = writeFloor(result.floor, options.tuning);
      console.log(
        json
          ? JSON.stringify({ ...result, path }, null, 2)
          : `${selftestText(result)}\nThe floor is kept in ${path}`,
      );
      return EXIT.ok;
    });
  } finally {
    if (kept === undefined) await Deno.remove(folder, { recursive: true });
  }
}
