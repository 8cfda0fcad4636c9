/**
 * Runs the command line over damaged files for a while and says where it ends badly: `deno task fuzz`.
 * A bad end is a status that is not documented, a stack trace, silence, over 10 s or over 1 GB.
 */

import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { EXIT, reportErrors } from "../cli/exit_status.ts";
import { interruptible } from "../cli/interrupt.ts";
import { fuzzCase, fuzzSources } from "./fuzz/fuzz_case.ts";
import { judgeCase, writeCase } from "./fuzz/judge_case.ts";

const ROOT = new URL("../", import.meta.url);
const OPTIONS = z.object({ minutes: z.number().default(5), seed: z.number().default(1) });
const LIMITS = { seconds: 10, mebibytes: 1000 };

function fuzzCommand(exit: (status: number) => void): Command {
  return new Command()
    .name("fuzz")
    .description(
      "Run command lines over damaged configurations, models, checkpoints, traces and runs. Exit " +
        "status: 0 where every one ended well, 3 where one did not, 2 for bad usage.",
    )
    .option("--minutes <minutes:number>", "How long; 5.")
    .option("--seed <seed:integer>", "Of the first case; each has the next one.")
    .action(async (options) => exit(await fuzz(OPTIONS.parse(options))));
}

async function fuzz({ minutes, seed: first }: z.output<typeof OPTIONS>): Promise<number> {
  if (!(minutes > 0)) {
    throw new ValidationError(`Cannot use --minutes "${minutes}": legal is above 0`);
  }
  return await interruptible(async (signal) => {
    const sources = fuzzSources(ROOT);
    const main = new URL("cli/main.ts", ROOT);
    const end = performance.now() + minutes * 60_000;
    const ends = new Map<string, number>();
    let [bad, slowestMs, seed] = [0, 0, first];
    for (; performance.now() < end && !signal.aborted; seed++) {
      const one = fuzzCase(seed, sources);
      const folder = await Deno.makeTempDir({ prefix: "shardbench-fuzz-" });
      try {
        writeCase(one, folder);
        const { status, ms, problem } = await judgeCase(one, {
          folder,
          main,
          limits: LIMITS,
        });
        const kind = `${one.kind}: status ${status}`;
        ends.set(kind, (ends.get(kind) ?? 0) + 1);
        slowestMs = Math.max(slowestMs, ms);
        if (problem === undefined) continue;
        bad++;
        console.log(`seed ${seed}, ${one.args.join(" ")}: ${problem}`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }
    for (const [kind, count] of [...ends].sort()) console.log(`${kind}: ${count}`);
    const slowest = (slowestMs / 1000).toFixed(1);
    console.log(`${seed - first} cases, ${bad} ended badly; the slowest took ${slowest} s`);
    if (signal.aborted) return EXIT.interrupted;
    return bad > 0 ? EXIT.wrongResult : EXIT.ok;
  });
}

if (import.meta.main) {
  const status = await reportErrors(Deno.args, async (words) => {
    let own: number = EXIT.ok;
    await fuzzCommand((code) => own = code).throwErrors().parse([...words]);
    return own;
  });
  Deno.exit(status);
}
