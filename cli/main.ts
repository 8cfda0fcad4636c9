import { Command } from "@cliffy/command";
import { compareCommand } from "./compare.ts";
import { dashboardCommand } from "./dashboard.ts";
import { doctorCommand } from "./doctor.ts";
import { exitStatusOf } from "./exit_status.ts";
import { generateCommand } from "./generate.ts";
import { ranksCommand } from "./ranks.ts";
import { replayCommand } from "./replay.ts";
import { runCommand } from "./run.ts";
import { selftestCommand } from "./selftest.ts";
import { longSizes } from "./sizes.ts";
import { verifyCommand } from "./verify.ts";

/** All commands; each tells its exit status. */
function commandLine(exit: (status: number) => void): Command {
  return new Command()
    .name("shardbench")
    .version("0.1.0")
    .description("Benchmarks sharded LLM kernels on Deno's WebGPU, with every result checked.")
    .throwErrors()
    .command("run", runCommand(exit))
    .command("generate", generateCommand(exit))
    .command("ranks", ranksCommand(exit))
    .command("compare", compareCommand(exit))
    .command("dashboard", dashboardCommand(exit))
    .command("verify", verifyCommand(exit))
    .command("replay", replayCommand(exit))
    .command("selftest", selftestCommand(exit))
    .command("doctor", doctorCommand(exit));
}

/** Runs a command line; one message on stderr for an error, a stack only with --debug. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    let status = 0;
    const words = longSizes(args.filter((arg) => arg !== "--debug"));
    await commandLine((code) => status = code).parse(words);
    return status;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const stack = args.includes("--debug") && error instanceof Error ? `\n${error.stack}` : "";
    console.error(`error: ${text}${stack}`);
    return exitStatusOf(error);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
