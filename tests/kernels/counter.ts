import { elementBits, nameKey } from "../../statistics/counter_generator.ts";

/** Random numbers from 0 to 1, the same for the same name. */
export function counter(name: string): () => number {
  const key = nameKey(name, 0);
  let i = 0;
  return () => elementBits(key, i++) / 2 ** 32;
}
