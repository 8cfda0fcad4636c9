/**
 * Plants small faults in the product and says which of them no test finds: `deno task mutants`. No
 * places of faults are comments, texts, types, what is thrown, a shader's attributes, tests, benchmark
 * files, tools, stand-ins of packages, and what is built or measured.
 */

import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { EXIT, reportErrors } from "../cli/exit_status.ts";
import { interruptible } from "../cli/interrupt.ts";
import { writeWhole } from "../records/files/write_whole.ts";
import { shuffled } from "../statistics/shuffled.ts";
import { judgeMutants } from "./mutants/judge_mutants.ts";
import { listMutants, type Mutant } from "./mutants/list_mutants.ts";
import { mutantLine, mutationScore, scoreText } from "./mutants/mutation_report.ts";

const OPTIONS = z.object({
  sample: z.number().default(200),
  only: z.array(z.string()).default([]),
  seed: z.number().default(1),
  jobs: z.number().default(1),
  testSeconds: z.number().optional(),
  list: z.boolean().optional(),
  json: z.string().optional(),
});

const ROOT = new URL("../", import.meta.url);
/** What test files execute is remembered here; git ignores it. */
const CACHE = new URL("results/mutants/", ROOT);
/** The least score, in %, that is not a failure. */
const LEAST_SCORE_PCT = 85;

function mutantsCommand(exit: (status: number) => void): Command {
  return new Command()
    .name("mutants")
    .description(
      "Plant small faults, one at a time, in copies of this tree, and run the tests that execute " +
        "the faulty line, cheapest first, until one fails. Exit status: 0 where at least " +
        `${LEAST_SCORE_PCT} % of the faults of sound types are found, 3 where fewer are, 2 for bad usage.`,
    )
    .option("--sample <count:integer>", "Faults to plant, chosen by the seed; 200.")
    .option("--only <folder:string>", "Only files below this folder; may be repeated.", {
      collect: true,
    })
    .option("--seed <seed:integer>", "What the choice follows from; 1.")
    .option("--jobs <count:integer>", "Faults judged at a time; 1.")
    .option(
      "--test-seconds <seconds:number>",
      "Run no further test file on a fault once those before take so long; the score is then a " +
        "lower bound.",
    )
    .option("--list", "Print the chosen faults, and run nothing.")
    .option("--json <file:file>", "Write every verdict to this file, too.")
    .action(async (options) => exit(await mutants(OPTIONS.parse(options))));
}

/** The chosen mutants of the folders, in the order of the choice. */
function choose(
  all: readonly Mutant[],
  { sample, only, seed, jobs, testSeconds }: z.output<typeof OPTIONS>,
): readonly Mutant[] {
  if (sample < 1) throw new ValidationError(`Cannot use --sample "${sample}": legal is 1 or more`);
  if (jobs < 1) throw new ValidationError(`Cannot use --jobs "${jobs}": legal is 1 or more`);
  if (testSeconds !== undefined && !(testSeconds > 0)) {
    throw new ValidationError(`Cannot use --test-seconds "${testSeconds}": legal is above 0`);
  }
  const folders = only.map((folder) => `${folder.replace(/\/+$/, "")}/`);
  const empty = folders.find((folder) => !all.some(({ file }) => file.startsWith(folder)));
  if (empty) throw new ValidationError(`Cannot use --only "${empty}": no mutants there`);
  const among = folders.length === 0
    ? all
    : all.filter(({ file }) => folders.some((folder) => file.startsWith(folder)));
  // Every place has the same chance, however many mutants it has.
  const places = Map.groupBy(among, ({ file, start, end }) => `${file}:${start}:${end}`);
  return shuffled([...places.values()], seed).slice(0, sample)
    .map((mutants) => shuffled(mutants, seed)[0]!);
}

function mutants(options: z.output<typeof OPTIONS>): Promise<number> {
  return interruptible(async (signal) => {
    try {
      const chosen = choose(await listMutants(ROOT, signal), options);
      if (options.list) {
        console.log(chosen.map(mutantLine).join("\n"));
        return EXIT.ok;
      }
      const onProgress = (line: string) => console.error(line);
      const verdicts = await judgeMutants(chosen, ROOT, {
        testSeconds: options.testSeconds,
        jobs: options.jobs,
        cache: CACHE,
        signal,
        onProgress,
      });
      const score = mutationScore(verdicts);
      if (options.json !== undefined) {
        const { seed, only } = options;
        writeWhole(
          options.json,
          `${JSON.stringify({ seed, only, ...score, verdicts }, null, 2)}\n`,
        );
      }
      console.log(scoreText(verdicts));
      return 100 * (score.score?.share ?? 0) >= LEAST_SCORE_PCT ? EXIT.ok : EXIT.wrongResult;
    } catch (error) {
      if (signal.aborted) return EXIT.interrupted;
      throw error;
    }
  });
}

if (import.meta.main) {
  Deno.exit(
    await reportErrors(Deno.args, async (words) => {
      let status: number = EXIT.ok;
      await mutantsCommand((code) => status = code).throwErrors().parse([...words]);
      return status;
    }),
  );
}
