import { num, type PageData, type Row, rowsOf, short } from "./data.ts";
import { h, note, wideFigure } from "./dom.ts";
import { layoutName } from "./row_words.ts";

/** Layouts: the rank table as boxes, by replica, stage and tensor parallel rank. */
export function layoutView(data: PageData): readonly HTMLElement[] {
  const key = (r: Row) => `${r.run.name}: ${layoutName(r)}`;
  return [...Map.groupBy(rowsOf(data, "ranks").rows, key)].map(([name, ranks]) => {
    const groups = (kind: string) => {
      const cells = ranks.map((r) => r.cells[`${kind}_parallel_group`] ?? "");
      return [...new Set(cells.map((cell) => `{${cell.replaceAll(" ", ",")}}`))].join(" ");
    };
    const replicas = Map.groupBy(ranks, (r) => r.cells["data_parallel_rank"]!);
    return wideFigure(
      name,
      h("div", { class: "replicas" }, [...replicas].map(replicaBox)),
      note(
        `MB = 1e6 bytes. Groups: TP ${groups("tensor")} (all-reduce in every layer); ` +
          `PP ${groups("pipeline")} (hidden states); DP ${groups("data")} (nothing)`,
      ),
    );
  });
}

function replicaBox([replica, ranks]: readonly [string, readonly Row[]]): HTMLElement {
  const stages = Map.groupBy(ranks, (r) => r.cells["pipeline_parallel_rank"]!);
  const heading = h("h4", `replica ${replica}`);
  return h("div", { class: "replica" }, heading, [...stages].map(stageBox));
}

function stageBox([stage, tpRanks]: readonly [string, readonly Row[]]): HTMLElement {
  const { cells } = tpRanks[0]!;
  const layers = `stage ${stage}, layers ${cells["first_layer"]}-${cells["last_layer"]}`;
  const ranks = h("div", { class: "ranks" }, tpRanks.map(rankBox));
  return h("div", { class: "stage" }, h("div", { class: "quiet" }, layers), ranks);
}

function rankBox(row: Row): HTMLElement {
  const { cells } = row;
  const megabytes = (column: string) => short(num(row, column) / 1e6);
  const memory = (what: string) =>
    `${megabytes(`${what}_bytes_predicted`)} MB predicted, ${
      megabytes(`${what}_bytes_allocated`) || "-"
    } allocated`;
  const lines = [
    `tp ${cells["tensor_parallel_rank"]}: ${cells["query_heads"]} q, ${cells["kv_heads"]} kv heads`,
    `vocab ${cells["vocab_start"]}-${cells["vocab_end"]}`,
    `weights ${memory("weight")}`,
    `KV cache ${memory("kv_cache")}`,
  ];
  const heading = h("b", `rank ${cells["rank"]}`);
  return h("div", { class: "rank" }, heading, lines.map((line) => h("div", line)));
}
