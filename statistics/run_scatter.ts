/** How far a time moves from one run to the next, of several rows measured in the same runs. */
export interface Scatter {
  /** Variance of one run's value. */
  readonly variance: number;
  /** Degrees of freedom of that estimate: few where the rows move together. */
  readonly degrees: number;
}

/**
 * The scatter of values `rows[row][run]` around each row's mean: what all rows share of a run, and what is
 * a row's own (analysis of variance, two ways), each with its degrees of freedom (Satterthwaite 1946).
 * Rows that moved together are evidence of as many runs only, not of runs times rows.
 * @throws {RangeError} for no rows, or fewer than two runs.
 */
export function runScatter(rows: readonly (readonly number[])[]): Scatter {
  const runs = rows[0]?.length ?? 0;
  if (runs < 2) throw new RangeError(`Cannot say how far ${rows.length} rows of ${runs} runs move`);
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviations = rows.map((values) => {
    const middle = mean(values);
    return values.map((value) => value - middle);
  });
  const common = deviations[0]!.map((_, run) => mean(deviations.map((values) => values[run]!)));
  const squares = (values: readonly number[]) => values.reduce((sum, v) => sum + v * v, 0);
  const commonVariance = squares(common) / (runs - 1);
  if (rows.length === 1) return { variance: commonVariance, degrees: runs - 1 };
  const ownDegrees = (rows.length - 1) * (runs - 1);
  const own = squares(deviations.flatMap((values) => values.map((v, run) => v - common[run]!))) /
    ownDegrees;
  const shared = Math.max(0, commonVariance - own / rows.length);
  const variance = own + shared;
  const spread = own ** 2 / ownDegrees + shared ** 2 / (runs - 1);
  return { variance, degrees: spread > 0 ? variance ** 2 / spread : ownDegrees };
}
