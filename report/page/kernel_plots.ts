import { columnPoint, type Plot, type Series, seriesBy } from "./chart.ts";
import { isRight, type PageData, rooflinePoint, type Row } from "./data.ts";
import { describe, sampleNote } from "./row_words.ts";

/** Kernels: roofline, rate by tokens, speed-up by shard size. */
export function kernelPlots(rows: readonly Row[], data: PageData): readonly Plot[] {
  const right = rows.filter(isRight);
  const common = { note: sampleNote(right), describe };
  const roof = seriesBy(right, (r) => r.cells["op"] ?? "", (row) => {
    const [x, y] = rooflinePoint(row) ?? [NaN, NaN];
    return { x, y, row };
  }).map((s): Series => ({ ...s, how: "points" }));
  const xs = roof.flatMap(({ points }) => points.map(({ x }) => x));
  const named = ({ cells }: Row) =>
    `${cells["op"]} ${cells["variant"]} tp=${cells["tensor_parallel_size"]}`;
  return [
    {
      ...common,
      series: [...ceilingLines(data, xs), ...roof],
      title: "Roofline",
      x: "flop / byte",
      y: "GFLOP/s",
      logX: true,
      logY: true,
    },
    {
      ...common,
      series: seriesBy(right, named, columnPoint("tokens", "time_us_median")),
      title: "Time by tokens",
      x: "tokens",
      y: "us",
      logX: true,
      logY: true,
    },
    {
      ...common,
      series: seriesBy(right, named, columnPoint("tokens", "rate_gbytes_per_s")),
      title: "Bandwidth by tokens",
      x: "tokens",
      y: "GB/s (1e9)",
      logX: true,
    },
    {
      ...common,
      series: seriesBy(
        right,
        ({ cells }) => `${cells["op"]} ${cells["variant"]} tokens=${cells["tokens"]}`,
        columnPoint("tensor_parallel_size", "speedup_vs_naive"),
      ),
      title: "Speed-up over naive by shard size",
      x: "tensor parallel size",
      y: "times naive",
    },
  ];
}

/** The roof of each run, as far as its points and a little more. */
function ceilingLines({ runs }: PageData, xs: readonly number[]): readonly Series[] {
  return runs.flatMap(({ ceilings, name }): Series[] => {
    if (!ceilings || xs.length === 0) return [];
    const knee = ceilings.gflops / ceilings.gbytes;
    const low = Math.min(...xs, knee / 4);
    const high = Math.max(...xs, knee * 4);
    const at = (x: number) => ({ x, y: Math.min(ceilings.gflops, x * ceilings.gbytes) });
    const label = runs.length > 1 ? `measured ceilings, ${name}` : "measured ceilings";
    return [{ name: label, how: "line", points: [at(low), at(knee), at(high)] }];
  });
}
