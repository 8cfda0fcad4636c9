import { ValidationError } from "@cliffy/command";
import { ConfigError } from "../config/config_error.ts";
import { FileError } from "../records/files/file_error.ts";
import { RankError } from "../collectives/rank_error.ts";
import { CheckpointError } from "../model/safetensors.ts";
import { ComparisonError } from "../report/run_differences.ts";
import { LogitsError } from "../schedules/logits_error.ts";
import { DeviceError } from "../device/device_error.ts";

/** The documented exit statuses. */
export const EXIT = {
  ok: 0,
  bug: 1,
  usage: 2,
  wrongResult: 3,
  regression: 4,
  /** Not comparable, incomplete, or not reproduced. */
  incomplete: 5,
  noAdapter: 6,
  interrupted: 130,
} as const;

/** The exit status that an error leads to. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof ValidationError) return error.exitCode;
  if (isFullDisk(error)) return EXIT.usage;
  if (
    error instanceof ConfigError || error instanceof FileError ||
    error instanceof CheckpointError
  ) return EXIT.usage;
  if (error instanceof ComparisonError) return EXIT.incomplete;
  if (error instanceof LogitsError) return EXIT.wrongResult;
  // What a rank's device suffered is as if ours had.
  if (error instanceof RankError && error.cause) return exitStatusOf(error.cause);
  if (error instanceof DeviceError) {
    if (error.kind === "NoAdapter" || error.kind === "DeviceLost") return EXIT.noAdapter;
    if (error.kind === "OutOfMemory") return EXIT.usage;
  }
  return EXIT.bug;
}

/** Of standard output too, which may be a file. */
function isFullDisk(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "ENOSPC";
}

/** One message on stderr, with the stack only for `--debug`; returns the exit status. */
export function tellError(error: unknown, { debug }: { readonly debug: boolean }): number {
  const message = error instanceof Error ? error.message : String(error);
  const text = isFullDisk(error) ? "Cannot write the output: the disk is full" : message;
  const stack = debug && error instanceof Error ? `\n${error.stack}` : "";
  console.error(`error: ${text}${stack}`);
  return exitStatusOf(error);
}

/**
 * The exit status of what a command line's words ask for; an error is one message on stderr, with its
 * stack only where `--debug`, which `run` is not given, is among the words.
 */
export async function reportErrors(
  args: readonly string[],
  run: (words: readonly string[]) => Promise<number>,
): Promise<number> {
  try {
    return await run(args.filter((arg) => arg !== "--debug"));
  } catch (error) {
    return tellError(error, { debug: args.includes("--debug") });
  }
}
