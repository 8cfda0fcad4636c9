import { Command } from "@cliffy/command";
export function selftestCommand(exit: (status: number) => void): Command {
  return new Command().description("x").action(() => exit(0));
}
