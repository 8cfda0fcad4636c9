import { Command, ValidationError } from "@cliffy/command";
import { writeDashboard } from "../mod.ts";
import { EXIT } from "./exit_status.ts";

/** `dashboard`: one self-contained page of one or more run folders. */
export function dashboardCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Write one self-contained HTML page of one or more run folders.")
    .arguments("<run:file> [...runs:file]")
    .option("--out <file:file>", "The page; dashboard.html where absent.")
    .action(async (options, ...paths) => {
      const runs = paths.flat().map(String);
      const out = String(options["out"] ?? "dashboard.html");
      if (!/\.html?$/.test(out)) {
        throw new ValidationError(`Cannot write "${out}": legal are names that end in .html`);
      }
      await writeDashboard(runs, out);
      console.log(out);
      exit(EXIT.ok);
    });
}
