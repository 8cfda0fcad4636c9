import { Command } from "@cliffy/command";
import { z } from "zod";
import { loadConfig, type LoadedRun, loadRun, measureRun } from "../mod.ts";
import { ratesText, selftest } from "../report/selftest.ts";
import { DEFAULT_THRESHOLD_PCT } from "./compare.ts";
import { EXIT } from "./exit_status.ts";
import { interruptible } from "./interrupt.ts";
import { threshold } from "./option_values.ts";
import { progressPrinter } from "./progress.ts";

const OPTIONS = z.object({
  threshold: z.number().default(DEFAULT_THRESHOLD_PCT),
  json: z.boolean().optional(),
});

/** Kernels of different lengths, from tens of microseconds to tens of milliseconds. */
const CONFIG = new URL("../configs/selftest.json", import.meta.url).pathname;

/** `selftest`: false alarms and detection power of `compare` on this machine. */
export function selftestCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Measure how often compare invents a change here, and how often it finds one.")
    .option("--threshold <pct:number>", `Least change that counts, in %; ${DEFAULT_THRESHOLD_PCT}.`)
    .option("--json", "Print JSON.")
    .action(async (options) => exit(await measure(OPTIONS.parse(options))));
}

async function measure(options: z.output<typeof OPTIONS>): Promise<number> {
  const thresholdPct = threshold("--threshold", options.threshold);
  const config = await loadConfig(CONFIG);
  const parent = await Deno.makeTempDir({ prefix: "shardbench-selftest-" });
  try {
    return await interruptible(async (signal) => {
      const runs: LoadedRun[] = [];
      for (const name of ["a", "b"]) {
        const onProgress = progressPrinter();
        const { folder } = await measureRun({
          config,
          folder: `${parent}/${name}`,
          onProgress,
          signal,
        });
        if (signal.aborted) return EXIT.interrupted;
        runs.push(loadRun(folder));
      }
      const rates = selftest([runs[0]!, runs[1]!], thresholdPct);
      console.log(
        options.json
          ? JSON.stringify({ threshold_pct: thresholdPct, rates }, null, 2)
          : ratesText(rates, thresholdPct),
      );
      return EXIT.ok;
    });
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}
