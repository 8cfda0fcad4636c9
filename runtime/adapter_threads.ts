/** A software adapter reads it when it is opened; all Workers of a process see the same. */
const VARIABLE = "LP_NUM_THREADS";

let last: Promise<unknown> = Promise.resolve();

/**
 * Opens adapters that have so many threads each, all cores where absent. One call at a time in this
 * process: the next begins when the variable is as it was before.
 */
export function withAdapterThreads<T>(
  threads: number | undefined,
  open: () => Promise<T>,
): Promise<T> {
  const opened = last.then(async () => {
    if (threads === undefined) return await open();
    const before = Deno.env.get(VARIABLE);
    Deno.env.set(VARIABLE, String(threads));
    try {
      return await open();
    } finally {
      if (before === undefined) Deno.env.delete(VARIABLE);
      else Deno.env.set(VARIABLE, before);
    }
  });
  last = opened.catch(() => {}); // whoever opens sees the error
  return opened;
}
