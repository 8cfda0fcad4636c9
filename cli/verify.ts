import { Command } from "@cliffy/command";
import { readManifest } from "../records/run_folder/manifest.ts";
import { readRunFiles } from "../records/run_folder/run_files.ts";
import { readPublicKey, signatureProblem } from "../records/run_folder/signature.ts";
import { type Verification, verifyRun } from "../report/verify_run.ts";
import { EXIT } from "./exit_status.ts";

/** `verify`: recomputes every published number of a run from its raw samples. */
export function verifyCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Recompute every published number of a run from its raw samples.")
    .arguments("<run:file>")
    .option("--key <file:file>", "A public key; the run must be signed with its private one.")
    .option("--json", "Print JSON.")
    .action(async (options, path) => {
      const key = options["key"] === undefined ? undefined : String(options["key"]);
      exit(await verify(String(path), { key, json: options["json"] === true }));
    });
}

async function verify(
  path: string,
  { key, json }: { readonly key: string | undefined; readonly json: boolean },
): Promise<number> {
  readManifest(path); // a folder, not one of its files
  const publicKey = key === undefined ? undefined : await readPublicKey(key);
  const files = readRunFiles(path);
  const found = verifyRun(files);
  const problem = publicKey && await signatureProblem(files, publicKey);
  if (json) console.log(JSON.stringify({ ...found, signature: problem ?? null }, null, 2));
  else printFindings(path, found);
  if (problem !== undefined) console.error(`error: ${problem}`);
  else if (key !== undefined && !json) console.log(`signed with the private key of ${key}`);
  const isSound = found.contradictions.length === 0 && found.is_finished;
  return isSound && problem === undefined ? EXIT.ok : EXIT.incomplete;
}

function printFindings(path: string, found: Verification): void {
  const { rows, recomputed, hashed, files, contradictions } = found;
  for (const { file, row, row_key, column, found, expected } of contradictions) {
    const where = row === undefined ? `${path}/${file}` : `${path}/${file} row ${row}`;
    const key = row_key === "" ? "" : ` (${row_key})`;
    console.log(`${where}${key} ${column}: found ${found}; expected ${expected}`);
  }
  console.log(
    `${rows} rows: ${recomputed} cells recomputed, ${hashed} only hashed; ${files} files hashed; ` +
      `${contradictions.length} contradictions`,
  );
  if (!found.is_finished) console.log("the run was not finished");
}
