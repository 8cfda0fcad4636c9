/** Runs something with a signal that Ctrl-C raises: whoever is given it ends early and keeps what is finished. */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  Deno.addSignalListener("SIGINT", onInterrupt);
  try {
    return await run(interrupt.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
  }
}
