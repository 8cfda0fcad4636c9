import { EXIT } from "./exit_status.ts";

/**
 * Runs something with a signal that Ctrl-C raises: whoever is given it ends early and keeps what is
 * finished; what ends with the signal's reason has nothing more to say. A second Ctrl-C ends the program
 * at once.
 */
export async function interruptible(
  run: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = () => {
    if (interrupt.signal.aborted) Deno.exit(EXIT.interrupted);
    console.error("interrupted: ends after what is being measured; Ctrl-C again ends at once");
    interrupt.abort();
  };
  Deno.addSignalListener("SIGINT", onInterrupt);
  try {
    return await run(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    return EXIT.interrupted;
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
  }
}
