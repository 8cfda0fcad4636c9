import { chart, columnPoint } from "./chart.ts";
import { num } from "./data.ts";
import { layoutWords } from "./row_words.ts";
import type { Charts } from "./suite_view.ts";

/** Plan against measurement: both in tokens a second, a point a layout. */
export const planCharts: Charts = (rows, { onPick }) => {
  const both = rows.filter((r) => num(r, "measured_output_tokens_per_s") > 0);
  const points = both.map(
    columnPoint("predicted_output_tokens_per_s", "measured_output_tokens_per_s"),
  );
  const most = Math.max(1, ...points.flatMap(({ x, y }) => [x, y]));
  const diagonal = [{ x: most / 1e3, y: most / 1e3 }, { x: most, y: most }];
  return [chart([
    { name: "layouts", how: "points", points },
    { name: "as predicted", how: "line", points: points.length > 0 ? diagonal : [] },
  ], {
    title: "Plan against measurement",
    x: "predicted tokens/s",
    y: "measured tokens/s",
    note: `${both.length} of ${rows.length} layouts were measured`,
    onPick,
    describe: (row) => [
      `${layoutWords(row)} ${row.cells["schedule"]}`,
      `predicted ${row.cells["predicted_output_tokens_per_s"]}, measured ${
        row.cells["measured_output_tokens_per_s"]
      } tokens/s, error ${row.cells["error_pct"]} %`,
      row.cells["why"] ?? "",
    ],
  })];
};
