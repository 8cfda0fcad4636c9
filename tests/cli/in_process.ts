import { main } from "../../cli/main.ts";

/**
 * Runs the command line in this process and gives back what it printed: ten times as fast as in one of its
 * own. Not for `--help`, which ends the program.
 */
export async function inProcess(args: readonly string[]) {
  const { log, error } = console;
  let [stdout, stderr] = ["", ""];
  console.log = (text: unknown) => void (stdout += `${text}\n`);
  console.error = (text: unknown) => void (stderr += `${text}\n`);
  try {
    const status = await main(args);
    return { status, stdout, stderr };
  } finally {
    Object.assign(console, { log, error });
  }
}
