/**
 * The quantile of ascending samples by linear interpolation (type 7 of Hyndman and Fan).
 *
 * With h = (n - 1) * p it is x[floor(h)] + (h - floor(h)) * (x[floor(h) + 1] - x[floor(h)]), counting
 * from 0; the default of R, NumPy and spreadsheets' PERCENTILE.INC.
 * @throws {RangeError} for no samples, or where p is outside 0 to 1.
 */
export function quantile(ascending: readonly number[], p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`Cannot take quantile "${p}": legal are 0 to 1`);
  const h = (ascending.length - 1) * p;
  const below = ascending[Math.floor(h)];
  const above = ascending[Math.ceil(h)];
  if (below === undefined || above === undefined) {
    throw new RangeError(`Cannot take quantile "${p}": there are no samples`);
  }
  return below === above ? below : below + (h - Math.floor(h)) * (above - below);
}
