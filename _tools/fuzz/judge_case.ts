/** Runs a case in a process of its own and says what is wrong with how it ended. */

import { dirname, join } from "node:path";
import { EXIT } from "../../cli/exit_status.ts";
import type { FuzzCase } from "./fuzz_case.ts";

/** What a command line may take: time, and memory of its objects, beyond which V8 ends it. */
export interface FuzzLimits {
  readonly seconds: number;
  readonly mebibytes: number;
}

/** How a case ended. */
export interface FuzzVerdict {
  readonly status: number;
  readonly ms: number;
  /** What is wrong with that; undefined where nothing is. */
  readonly problem: string | undefined;
}

/** Of messages: a person reads them. */
const MAX_STDERR_BYTES = 50_000;
/** All statuses but that of a bug of ours. */
const LEGAL: ReadonlySet<number> = new Set(
  Object.values(EXIT).filter((status) => status !== EXIT.bug),
);

/** What is wrong with a status and what was printed; undefined where nothing is. */
export function outcomeProblem(
  status: number,
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): string | undefined {
  if (!LEGAL.has(status)) return `status ${status}: ${stderr.slice(0, 300)}`;
  if (/^ {4}at /m.test(stderr)) return `a stack trace: ${stderr.slice(0, 300)}`;
  if (stderr.length > MAX_STDERR_BYTES) return `a message of ${stderr.length} characters`;
  return status !== EXIT.ok && (stdout + stderr).trim() === ""
    ? `status ${status} without a word`
    : undefined;
}

/** Writes a case's files to a folder. */
export function writeCase({ files }: FuzzCase, folder: string): void {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeFileSync(path, bytes);
  }
}

/** Runs a case, whose files are in the folder. Needs permission to run deno. */
export async function judgeCase(
  { args }: FuzzCase,
  { folder, main, limits }: {
    readonly folder: string;
    readonly main: URL;
    readonly limits: FuzzLimits;
  },
): Promise<FuzzVerdict> {
  const words = args.map((word) => word.replaceAll("{folder}", folder));
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-sys"];
  const heap = `--v8-flags=--max-old-space-size=${limits.mebibytes}`;
  const begun = performance.now();
  const child = new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-check",
      heap,
      ...permissions,
      main.pathname,
      ...words,
    ],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, limits.seconds * 1000);
  const { code: status, ...output } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  const texts = { stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
  const problem = isLate ? `it took over ${limits.seconds} s` : outcomeProblem(status, texts);
  return { status, ms: performance.now() - begun, problem };
}
