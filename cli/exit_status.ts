import { ValidationError } from "@cliffy/command";
import { ConfigError } from "../config/config_error.ts";
import { FileError } from "../records/files/file_error.ts";
import { RankError } from "../collectives/rank_error.ts";
import { CheckpointError } from "../model/safetensors.ts";
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
  if (
    error instanceof ConfigError || error instanceof FileError ||
    error instanceof CheckpointError
  ) return EXIT.usage;
  // What a rank's device suffered is as if ours had.
  if (error instanceof RankError && error.cause) return exitStatusOf(error.cause);
  if (error instanceof DeviceError) {
    if (error.kind === "NoAdapter" || error.kind === "DeviceLost") return EXIT.noAdapter;
    if (error.kind === "OutOfMemory") return EXIT.usage;
  }
  return EXIT.bug;
}
