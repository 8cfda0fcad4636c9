/**
 * Environment variables that no other test changes. Test files run side by side in one process and share
 * its environment, in which LP_NUM_THREADS comes and goes while ranks open their devices.
 */

const SHARED = "LP_NUM_THREADS";

/** The environment of a program that a test starts; give `clearEnv` with it. */
export function childVariables(): Record<string, string> {
  const { [SHARED]: _, ...variables } = Deno.env.toObject();
  return variables;
}

/**
 * Calls back with that variable, not set, and these for this thread alone; undefined: not set. All others
 * are the process's.
 */
export async function withOwnVariables(
  values: Readonly<Record<string, string | undefined>>,
  run: () => Promise<void> | void,
): Promise<void> {
  const own = new Map<string, string | undefined>(
    Object.entries({ [SHARED]: undefined, ...values }),
  );
  const { get, set, delete: remove } = Deno.env;
  Object.assign(Deno.env, {
    get: (name: string) => own.has(name) ? own.get(name) : get.call(Deno.env, name),
    set: (name: string, value: string) =>
      own.has(name) ? void own.set(name, value) : set.call(Deno.env, name, value),
    delete: (name: string) =>
      own.has(name) ? void own.set(name, undefined) : remove.call(Deno.env, name),
  });
  try {
    await run();
  } finally {
    Object.assign(Deno.env, { get, set, delete: remove });
  }
}
