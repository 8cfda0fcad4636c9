/** Runs with a clock that only the test moves. */
export async function onClock<T>(run: (clock: { ms: number }) => T | Promise<T>): Promise<T> {
  const { now } = performance;
  const clock = { ms: 1000 };
  performance.now = () => clock.ms;
  try {
    return await run(clock);
  } finally {
    performance.now = now;
  }
}
