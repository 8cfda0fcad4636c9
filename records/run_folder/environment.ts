/** What a run ran on: everything that may explain a number, and nothing that nobody allowed. */

import { cpus } from "node:os";
import project from "../../deno.json" with { type: "json" };
import { type Commit, readCommit } from "./commit.ts";
import { places, portableText } from "./portable_paths.ts";
import { sourcesHash } from "./sources_hash.ts";

/** The environment variables whose values are recorded; no other is ever read. */
export const RECORDED_VARIABLES = [
  "LP_NUM_THREADS",
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "DENO_WEBGPU_BACKEND",
  "NO_COLOR",
  "MESA_VK_DEVICE_SELECT",
  "MESA_SHADER_CACHE_DISABLE",
] as const;

/** Environment variables of which only the presence is recorded. */
export const NOTED_VARIABLES = ["XDG_RUNTIME_DIR"] as const;

/** What a run ran on; null is what is unknown or what Deno has no permission for. */
export interface Environment {
  readonly suite_version: string;
  readonly commit: Commit | null;
  /** {@linkcode sourcesHash} of the tree that ran. */
  readonly sources_hash: string | null;
  readonly deno_version: string;
  readonly v8_version: string;
  readonly typescript_version: string;
  readonly os: string;
  readonly os_release: string | null;
  readonly architecture: string;
  readonly cpu_model: string | null;
  readonly logical_cores: number;
  readonly memory_total_bytes: number | null;
  readonly memory_available_bytes: number | null;
  /** Runnable processes over the last 1, 5 and 15 minutes. */
  readonly load_average: readonly number[] | null;
  /** The command line, and below the variables, with `.` and `~` for the working folder and the home. */
  readonly argv: readonly string[];
  /** Values of {@linkcode RECORDED_VARIABLES}, and "set" for {@linkcode NOTED_VARIABLES}; null: not set, or no permission. */
  readonly variables: Readonly<Record<string, string | null>>;
}

/**
 * Describes where this process runs.
 *
 * Uses, where granted and without asking: `--allow-sys=cpus,systemMemoryInfo,loadavg,osRelease,homedir`,
 * `--allow-env` for the variables above, read permission for `.git` and the sources, and permission to run
 * `git`. `argv` is the command line.
 */
export function describeEnvironment(
  { argv, root = new URL("../../", import.meta.url) }: {
    /** The command line, and below the variables, with `.` and `~` for the working folder and the home. */
    readonly argv: readonly string[];
    /** The suite's own folder, in which `.git` is looked for. */
    readonly root?: URL;
  },
): Environment {
  const own = places();
  const memory = ifAllowed("systemMemoryInfo", () => Deno.systemMemoryInfo());
  return {
    suite_version: project.version,
    commit: readCommit(root),
    sources_hash: sourcesHash(root),
    deno_version: Deno.version.deno,
    v8_version: Deno.version.v8,
    typescript_version: Deno.version.typescript,
    os: Deno.build.os,
    os_release: ifAllowed("osRelease", () => Deno.osRelease()),
    architecture: Deno.build.arch,
    cpu_model: ifAllowed("cpus", () => cpus()[0]?.model ?? null),
    logical_cores: navigator.hardwareConcurrency,
    memory_total_bytes: memory?.total ?? null,
    memory_available_bytes: memory?.available ?? null,
    load_average: ifAllowed("loadavg", () => Deno.loadavg()),
    argv: argv.map((arg) => portableText(arg, own)),
    variables: Object.fromEntries([
      ...RECORDED_VARIABLES.map((name) => {
        const value = readVariable(name);
        return [name, value === null ? null : portableText(value, own)];
      }),
      ...NOTED_VARIABLES.map((name) => [name, readVariable(name) === null ? null : "set"]),
    ]),
  };
}

type SysKind = "systemMemoryInfo" | "osRelease" | "cpus" | "loadavg";

function ifAllowed<T>(kind: SysKind, read: () => T): T | null {
  return Deno.permissions.querySync({ name: "sys", kind }).state === "granted" ? read() : null;
}

function readVariable(variable: string): string | null {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) ?? null : null;
}
