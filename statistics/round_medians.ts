import { median } from "./summary.ts";

/** Longer lists are joined into so many medians of neighbours: ranks of more say no more. */
const MAX_UNITS = 16;

/**
 * Medians of the samples of each round, in the order in which rounds begin: what was sampled in one turn
 * shares the machine's mood, and is one piece of evidence. Where rounds are not known (no list of the
 * samples' length) each sample is its own.
 */
export function roundMedians(
  samples: readonly number[],
  rounds: readonly number[] = [],
): readonly number[] {
  if (rounds.length !== samples.length) return neighbourMedians(samples);
  const byRound = Map.groupBy(
    samples.map((sample, i) => [rounds[i]!, sample] as const),
    ([i]) => i,
  );
  return neighbourMedians([...byRound.values()].map((list) => median(list.map(([, us]) => us))));
}

function neighbourMedians(values: readonly number[]): readonly number[] {
  const count = Math.min(MAX_UNITS, values.length);
  const start = (i: number) => Math.floor(i * values.length / count);
  return Array.from({ length: count }, (_, i) => median(values.slice(start(i), start(i + 1))));
}
