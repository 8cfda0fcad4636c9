import { roundInterval } from "./round_interval.ts";
import { median } from "./summary.ts";

/** Times of one message size. */
export interface LinkPoint {
  readonly bytes: number;
  /** Times of each round, in which all sizes took turns. */
  readonly roundsUs: readonly (readonly number[])[];
}

/** The line time = alpha + bytes / bandwidth. */
export interface Line {
  readonly alphaUs: number;
  readonly gbytesPerS: number;
}

/** A fitted link with 95 % intervals, and how far it is off sizes that were held out of the fit. */
export interface LinkFit extends Line {
  readonly alphaLow: number;
  readonly alphaHigh: number;
  readonly bandwidthLow: number;
  readonly bandwidthHigh: number;
  /** Mean relative error at every second size, of a fit on the others; absent below four sizes. */
  readonly heldOutErrorPct: number | undefined;
}

/** The line of a link, see {@linkcode relativeLine}. */
export function fitLine(points: readonly { readonly bytes: number; readonly us: number }[]): Line {
  const { interceptUs, slopeUs } = relativeLine(points.map(({ bytes, us }) => ({ x: bytes, us })));
  return { alphaUs: interceptUs, gbytesPerS: 1 / slopeUs / 1000 };
}

/**
 * The line of times over sizes with the least sum of squared relative errors, of at least two sizes: small
 * and large ones count alike. Both numbers are kept from being negative.
 */
export function relativeLine(
  points: readonly { readonly x: number; readonly us: number }[],
): { readonly interceptUs: number; readonly slopeUs: number } {
  // Minimise sum ((a + s x - t) / t)^2: linear in a and s.
  const sums = { w: 0, wx: 0, wxx: 0, wy: 0, wxy: 0 };
  for (const { x, us } of points) {
    const w = 1 / (us * us);
    sums.w += w;
    sums.wx += w * x;
    sums.wxx += w * x * x;
    sums.wy += w * us;
    sums.wxy += w * x * us;
  }
  const determinant = sums.w * sums.wxx - sums.wx * sums.wx;
  const slopeUs = Math.max(1e-9, (sums.w * sums.wxy - sums.wx * sums.wy) / determinant);
  return { interceptUs: Math.max(0, (sums.wy - slopeUs * sums.wx) / sums.w), slopeUs };
}

/**
 * Fits a link to measured sizes, at least two. Intervals are those of the medians of a fit a round, of as
 * many rounds as every size has, see {@linkcode roundInterval}; they hold the fit to all rounds.
 */
export function fitLink(points: readonly LinkPoint[]): LinkFit {
  const medians = points.map(({ bytes, roundsUs }) => ({ bytes, us: median(roundsUs.flat()) }));
  const line = fitLine(medians);
  const rounds = Math.min(...points.map(({ roundsUs }) => roundsUs.length));
  const lines = Array.from(
    { length: rounds },
    (_, round) =>
      fitLine(points.map(({ bytes, roundsUs }) => ({ bytes, us: median(roundsUs[round]!) }))),
  );
  const interval = (of: (line: Line) => number) => {
    const { low, high } = roundInterval(lines.map(of), [...lines.keys()]);
    return [Math.min(low, of(line)), Math.max(high, of(line))] as const;
  };
  const [alphaLow, alphaHigh] = interval(({ alphaUs }) => alphaUs);
  const [bandwidthLow, bandwidthHigh] = interval(({ gbytesPerS }) => gbytesPerS);
  return {
    ...line,
    alphaLow,
    alphaHigh,
    bandwidthLow,
    bandwidthHigh,
    heldOutErrorPct: points.length < 4 ? undefined : heldOutErrorPct(medians),
  };
}

function heldOutErrorPct(
  points: readonly { readonly bytes: number; readonly us: number }[],
): number {
  const sorted = [...points].sort((a, b) => a.bytes - b.bytes);
  const { alphaUs, gbytesPerS } = fitLine(sorted.filter((_, i) => i % 2 === 0));
  const errors = sorted.filter((_, i) => i % 2 === 1)
    .map(({ bytes, us }) => Math.abs((alphaUs + bytes / gbytesPerS / 1000) / us - 1));
  return 100 * errors.reduce((sum, error) => sum + error, 0) / errors.length;
}
