import { Command } from "@cliffy/command";
import { abCommand } from "./ab.ts";
import { compareCommand } from "./compare.ts";
import { dashboardCommand } from "./dashboard.ts";
import { doctorCommand } from "./doctor.ts";
import { EXIT, reportErrors, tellError } from "./exit_status.ts";
import { generateCommand } from "./generate.ts";
import { ranksCommand } from "./ranks.ts";
import { replayCommand } from "./replay.ts";
import { runCommand } from "./run.ts";
import { selftestCommand } from "./selftest.ts";
import { longSizes } from "./sizes.ts";
import { signCommand } from "./sign.ts";
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
    .command("ab", abCommand(exit))
    .command("dashboard", dashboardCommand(exit))
    .command("verify", verifyCommand(exit))
    .command("sign", signCommand(exit))
    .command("replay", replayCommand(exit))
    .command("selftest", selftestCommand(exit))
    .command("doctor", doctorCommand(exit));
}

/** Runs a command line. */
export function main(args: readonly string[]): Promise<number> {
  return reportErrors(args, async (words) => {
    let status: number = EXIT.ok;
    await commandLine((code) => status = code).parse(longSizes(words));
    return status;
  });
}

if (import.meta.main) {
  // An error that nobody waited for ends the program like any other: one message, its exit status.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(tellError(event.reason, { debug: Deno.args.includes("--debug") }));
  });
  Deno.exit(await main(Deno.args));
}
