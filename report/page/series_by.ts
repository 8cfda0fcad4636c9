import type { Point, Series } from "./chart.ts";
import { num, type Row } from "./data.ts";

/** A series a name, of rows whose point can be drawn on any axis, from left to right. */
export function seriesBy(
  rows: readonly Row[],
  name: (row: Row) => string,
  point: (row: Row) => Point,
): readonly Series[] {
  return [...Map.groupBy(rows, name)].map(([name, members]) => ({
    name,
    how: "both",
    points: members.map(point)
      .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y) && x > 0 && y > 0)
      .sort((a, b) => a.x - b.x),
  }));
}

/** The point of a row that two of its columns give. */
export function columnPoint(x: string, y: string): (row: Row) => Point {
  return (row) => ({ x: num(row, x), y: num(row, y), row });
}
