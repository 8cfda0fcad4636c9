/** How the times of one piece of work scatter on machines: simulated samples whose true median is known. */

import { generator } from "./counter_generator.ts";
import { roundInterval } from "./round_interval.ts";

/** Samples of rounds that follow each other, and the median of what they are drawn from. */
export interface SimulatedSamples {
  readonly samples: readonly number[];
  /** The round of each sample. */
  readonly rounds: readonly number[];
  readonly trueMedian: number;
}

/** How many samples are drawn, and from which random numbers. */
export interface SimulatedRounds {
  readonly rounds: number;
  readonly samplesARound: number;
  readonly seed: number;
}

type Draw = () => number;

/** Draws the sample of a place; the model's state goes from one to the next. */
interface NoiseModel {
  readonly trueMedian: number;
  readonly start: (uniform: Draw) => (round: number) => number;
}

const CENTRE = 100;
const SLOW = 120;
/** Share of the slow clock state, and the median of the mixture: the 5/7 quantile of the fast one. */
const SLOW_SHARE = 0.3;
const MIXED_MEDIAN = CENTRE + 0.5659488;
const PARETO = 1.5;

/** Models by name; scatter is about 3 % of the median. */
export const NOISE_MODELS: Readonly<Record<string, NoiseModel>> = {
  "independent": { trueMedian: CENTRE, start: (u) => () => CENTRE + 3 * normal(u) },
  "heavy tail": {
    trueMedian: CENTRE * (1 + 0.02 * (2 ** (1 / PARETO) - 1)),
    start: (u) => () => CENTRE * (1 + 0.02 * ((1 - u()) ** (-1 / PARETO) - 1)),
  },
  "AR(0.5)": { trueMedian: CENTRE, start: autoregressive(0.5) },
  "AR(0.9)": { trueMedian: CENTRE, start: autoregressive(0.9) },
  "turns share 3 %": {
    trueMedian: CENTRE,
    start: (u) => byRound(() => 3 * normal(u), (shared) => CENTRE + shared + normal(u)),
  },
  "two clock states": {
    trueMedian: MIXED_MEDIAN,
    start: (u) => byRound(() => u() < SLOW_SHARE, (slow) => (slow ? SLOW : CENTRE) + normal(u)),
  },
};

/**
 * Draws samples of a model.
 * @throws {RangeError} where there is no model of that name.
 */
export function simulateSamples(
  model: string,
  { rounds, samplesARound, seed }: SimulatedRounds,
): SimulatedSamples {
  const found = NOISE_MODELS[model];
  if (!found) {
    const names = Object.keys(NOISE_MODELS).join(", ");
    throw new RangeError(`Cannot simulate "${model}": legal are ${names}`);
  }
  const sample = found.start(generator(model, seed));
  const roundOf = Array.from(
    { length: rounds * samplesARound },
    (_, i) => Math.floor(i / samplesARound),
  );
  return { samples: roundOf.map(sample), rounds: roundOf, trueMedian: found.trueMedian };
}

/** How many of so many simulated rows have the true median in their 95 % interval. */
export function simulatedHits(
  model: string,
  { runs, ...size }: Omit<SimulatedRounds, "seed"> & { readonly runs: number },
): number {
  const isHit = (seed: number) => {
    const { samples, rounds, trueMedian } = simulateSamples(model, { ...size, seed });
    const { low, high } = roundInterval(samples, rounds);
    return low <= trueMedian && trueMedian <= high;
  };
  return Array.from({ length: runs }, (_, seed) => seed).filter(isHit).length;
}

/** A draw of the standard normal distribution (Box and Muller). */
function normal(uniform: Draw): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

function autoregressive(phi: number) {
  return (uniform: Draw) => {
    let state = normal(uniform);
    return () => {
      state = phi * state + Math.sqrt(1 - phi * phi) * normal(uniform);
      return CENTRE + 3 * state;
    };
  };
}

/** Draws what a round shares when it begins. */
function byRound<Shared>(begin: () => Shared, sample: (shared: Shared) => number) {
  let current = { round: -1, shared: begin() };
  return (round: number) => {
    if (round !== current.round) current = { round, shared: begin() };
    return sample(current.shared);
  };
}
