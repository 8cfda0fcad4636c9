import { columnPoint, type Plot, type Series, seriesBy } from "./chart.ts";
import { crossovers, isRight, num, type PageData, type Row, rowsOf } from "./data.ts";
import { describe, sampleNote } from "./row_words.ts";

/** Collectives: latency and bus bandwidth by size, with the fitted link. */
export function collectivePlots(rows: readonly Row[], data: PageData): readonly Plot[] {
  const links = rowsOf(data, "links").rows;
  const groups = Map.groupBy(
    rows.filter(isRight),
    ({ cells }) =>
      `${cells["op"]}, ${cells["transport"]}, ${cells["memory"]}, ${cells["logical_ranks"]} ranks`,
  );
  return [...groups].flatMap(([name, members]) => {
    const common = { describe, x: "message bytes", logX: true, logY: true };
    const note = sampleNote(members);
    const by = (column: string) =>
      seriesBy(members, (r) => r.cells["algorithm"] ?? "", columnPoint("message_bytes", column));
    return [
      {
        ...common,
        series: [...by("time_us_median"), ...linkFit(members, links)],
        note: [note, ...fastest(members)].join("; "),
        title: `${name}: latency`,
        y: "us",
      },
      {
        ...common,
        series: by("busbw_gbytes_per_s"),
        note,
        title: `${name}: bus bandwidth`,
        y: "GB/s (1e9)",
      },
    ];
  });
}

/** What one send of each size takes by the fitted link of these rows, where there is one. */
function linkFit(members: readonly Row[], links: readonly Row[]): readonly Series[] {
  const { cells } = members[0]!;
  const link = links.find((l) =>
    ["transport", "memory"].every((key) => l.cells[key] === cells[key]) &&
    l.cells["ranks"] === cells["logical_ranks"]
  );
  if (!link) return [];
  const sizes = [...new Set(members.map((r) => num(r, "message_bytes")))].sort((a, b) => a - b);
  const us = (size: number) =>
    num(link, "alpha_us") + size / num(link, "bandwidth_gbytes_per_s") / 1e3;
  return [{
    name: "alpha + size / beta of one send",
    how: "line",
    points: sizes.map((x) => ({ x, y: us(x) })),
  }];
}

/** Between which sizes the fastest algorithm changes, in words. */
function fastest(members: readonly Row[]): readonly string[] {
  const times = members.filter((r) => r.cells["algorithm"] !== "auto").map((r) => ({
    size: num(r, "message_bytes"),
    algorithm: r.cells["algorithm"] ?? "",
    us: num(r, "time_us_median"),
  }));
  return crossovers(times).map(({ from, to, algorithms: [a, b] }) =>
    `${a} is fastest up to ${from} B, ${b} from ${to} B`
  );
}
