import { Command } from "@cliffy/command";
import { readManifest } from "../records/run_folder/manifest.ts";
import { loadRun } from "../records/run_folder/load_run.ts";
import { verifyRun } from "../report/verify_run.ts";
import { EXIT } from "./exit_status.ts";

/** `verify`: recomputes every published number of a run from its raw samples. */
export function verifyCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Recompute every published number of a run from its raw samples.")
    .arguments("<run:file>")
    .option("--json", "Print JSON.")
    .action((options, path) => exit(verify(String(path), options["json"] === true)));
}

function verify(path: string, json: boolean): number {
  readManifest(path); // a folder, not one of its files
  const run = loadRun(path);
  const found = verifyRun(run);
  const { rows, recomputed, compared, contradictions } = found;
  const isIncomplete = run.manifest?.["interrupted"] !== false;
  if (json) console.log(JSON.stringify({ ...found, interrupted: isIncomplete }, null, 2));
  else {
    for (const { file, row, row_key, column, found, expected } of contradictions) {
      const where = row === undefined ? file : `${file} row ${row}`;
      console.log(`${where} (${row_key}) ${column}: found ${found}; expected ${expected}`);
    }
    console.log(
      `${rows} rows: ${recomputed} cells recomputed, ${compared} compared, ` +
        `${contradictions.length} contradictions`,
    );
    if (isIncomplete) console.log("the run was not finished");
  }
  return contradictions.length > 0 || isIncomplete ? EXIT.incomplete : EXIT.ok;
}
