import { generator } from "./counter_generator.ts";
import { quantile } from "./quantile.ts";

const RESAMPLES = 1000;

/** One side of a ratio: samples, and a text that seeds its resampling. */
export interface Side {
  readonly samples: readonly number[];
  /** The same side under the same text is resampled in the same way, whatever it is compared with. */
  readonly seed: string;
}

/**
 * The 95 % interval of median(b) / median(a) by the bootstrap's percentiles of its logarithm. Exchanging
 * both sides inverts it, with the ends exchanged.
 */
export function ratioInterval(a: Side, b: Side): readonly [low: number, high: number] {
  const [medianA, medianB] = [resampledMedians(a), resampledMedians(b)];
  const logs = medianB.map((value, i) => Math.log(value) - Math.log(medianA[i]!));
  const ascending = logs.sort((x, y) => x - y);
  return [Math.exp(quantile(ascending, 0.025)), Math.exp(quantile(ascending, 0.975))];
}

/** Medians of samples drawn with replacement. */
function resampledMedians({ samples, seed }: Side): readonly number[] {
  const ascending = [...samples].sort((x, y) => x - y);
  const n = ascending.length;
  const random = generator(seed, 0);
  const counts = new Uint32Array(n);
  return Array.from({ length: RESAMPLES }, () => {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[Math.floor(random() * n)]!++;
    const at = (place: number) => {
      let seen = 0;
      for (let i = 0; i < n; i++) if ((seen += counts[i]!) > place) return ascending[i]!;
      return ascending[n - 1]!;
    };
    return (at((n - 1) >> 1) + at(n >> 1)) / 2;
  });
}
