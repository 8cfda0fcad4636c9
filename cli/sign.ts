import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { readRunFiles } from "../records/run_folder/run_files.ts";
import { readPrivateKey, signRun, writeNewKeys } from "../records/run_folder/signature.ts";
import { verifyRun } from "../report/verify_run.ts";
import { EXIT } from "./exit_status.ts";

const OPTIONS = z.object({ key: z.string().optional(), newKey: z.string().optional() });

/** `sign`: signs a finished run with a private key, or makes a pair of keys. */
export function signCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Sign a finished run, so that verify --key finds every later change.")
    .arguments("[run:file]")
    .option("--key <file:file>", "The private key to sign with.")
    .option("--new-key <file:file>", "Make a private key in FILE, and its public one in FILE.pub.")
    .action(async (options, path) => {
      const { key, newKey } = OPTIONS.parse(options);
      if (path === undefined && newKey !== undefined && key === undefined) {
        console.log(`${newKey}\n${await writeNewKeys(newKey)}`);
        return exit(EXIT.ok);
      }
      if (path === undefined || key === undefined || newKey !== undefined) {
        throw new ValidationError(
          "Cannot sign: legal are RUN --key FILE, and --new-key FILE alone",
        );
      }
      exit(await sign(String(path), key));
    });
}

async function sign(path: string, keyPath: string): Promise<number> {
  const key = await readPrivateKey(keyPath);
  const { is_finished, contradictions } = verifyRun(readRunFiles(path));
  if (!is_finished || contradictions.length > 0) {
    const why = is_finished ? "verify finds contradictions in it" : "it was not finished";
    console.error(`error: Cannot sign the run in "${path}": ${why}`);
    return EXIT.incomplete;
  }
  console.log(`signed ${await signRun(path, key)}`);
  return EXIT.ok;
}
