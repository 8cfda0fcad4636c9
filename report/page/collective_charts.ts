import { chart, columnPoint, type Series, seriesBy } from "./chart.ts";
import { crossovers, isRight, num, type Row, rowsOf } from "./data.ts";
import { describe, sampleNote } from "./row_words.ts";
import type { Charts } from "./suite_view.ts";

/** Collectives: latency and bus bandwidth by size, with the fitted link. */
export const collectiveCharts: Charts = (rows, { data, onPick }) => {
  const links = rowsOf(data, "links").rows;
  const groups = Map.groupBy(
    rows.filter(isRight),
    ({ cells }) =>
      `${cells["op"]}, ${cells["transport"]}, ${cells["memory"]}, ${cells["logical_ranks"]} ranks`,
  );
  return [...groups].flatMap(([name, members]) => {
    const common = { onPick, describe, x: "message bytes", logX: true, logY: true };
    const note = sampleNote(members);
    const by = (column: string) =>
      seriesBy(members, (r) => r.cells["algorithm"] ?? "", columnPoint("message_bytes", column));
    return [
      chart([...by("time_us_median"), ...linkFit(members, links)], {
        ...common,
        note: [note, ...fastest(members)].join("; "),
        title: `${name}: latency`,
        y: "us",
      }),
      chart(by("busbw_gbytes_per_s"), {
        ...common,
        note,
        title: `${name}: bus bandwidth`,
        y: "GB/s (1e9)",
      }),
    ];
  });
};

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
