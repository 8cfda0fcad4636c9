/** What deno printed and how it ended. */
export interface Ran {
  readonly status: number;
  readonly isTimedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/**
 * Runs deno in a process group of its own, so that nothing that it started outlives a limit or an
 * abort. Needs permission to run deno.
 *
 * @throws the reason of the signal.
 */
export async function runDeno(args: readonly string[], {
  cwd,
  env = {},
  limitMs,
  signal,
}: {
  readonly cwd: URL;
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<Ran> {
  signal?.throwIfAborted();
  const begin = performance.now();
  const child = new Deno.Command("deno", {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  let isTimedOut = false;
  // A group is killed by a process that may: here it would need permission to run everything.
  const kill = () => {
    const args = ["eval", `Deno.kill(-${child.pid}, "SIGKILL")`];
    new Deno.Command("deno", { args, stderr: "null" }).outputSync();
  };
  const timer = limitMs === undefined ? undefined : setTimeout(() => {
    isTimedOut = true;
    kill();
  }, limitMs);
  signal?.addEventListener("abort", kill);
  try {
    const { code, stdout, stderr } = await child.output();
    signal?.throwIfAborted();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    const seconds = (performance.now() - begin) / 1000;
    return { status: code, isTimedOut, stdout: out!, stderr: err!, seconds };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  }
}
