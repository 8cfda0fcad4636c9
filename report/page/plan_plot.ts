import { columnPoint, type Plot } from "./chart.ts";
import { num, type Row } from "./data.ts";
import { layoutWords } from "./row_words.ts";

/** Plan against measurement: both in tokens a second, a point a layout. */
export function planPlot(rows: readonly Row[]): Plot {
  const both = rows.filter((r) => num(r, "measured_output_tokens_per_s") > 0);
  const points = both.map(
    columnPoint("predicted_output_tokens_per_s", "measured_output_tokens_per_s"),
  );
  const most = Math.max(1, ...points.flatMap(({ x, y }) => [x, y]));
  const diagonal = [{ x: most / 1e3, y: most / 1e3 }, { x: most, y: most }];
  return {
    series: [
      { name: "layouts", how: "points", points },
      { name: "as predicted", how: "line", points: points.length > 0 ? diagonal : [] },
    ],
    title: "Plan against measurement",
    x: "predicted tokens/s",
    y: "measured tokens/s",
    note: `${both.length} of ${rows.length} layouts were measured`,
    describe: (row) => [
      `${layoutWords(row)} ${row.cells["schedule"]}`,
      `predicted ${row.cells["predicted_output_tokens_per_s"]}, measured ${
        row.cells["measured_output_tokens_per_s"]
      } tokens/s, error ${row.cells["error_pct"]} %`,
      row.cells["why"] ?? "",
    ],
  };
}
