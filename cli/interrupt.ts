/** Runs something with a signal that Ctrl-C raises: what is measured is finished and kept. */
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
