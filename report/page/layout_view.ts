import { num, type PageData, type Row, rowsOf, short } from "./data.ts";
import { h } from "./dom.ts";
import { layoutName } from "./row_words.ts";

/** Layouts: the rank table as boxes, by replica, stage and tensor parallel rank. */
export function layoutView(data: PageData): readonly HTMLElement[] {
  const key = (r: Row) => `${r.run.name}: ${layoutName(r)}`;
  return [...Map.groupBy(rowsOf(data, "ranks").rows, key)].map(([name, ranks]) => {
    const groups = (kind: string) => {
      const cells = ranks.map((r) => r.cells[`${kind}_parallel_group`] ?? "");
      return [...new Set(cells.map((cell) => `{${cell.replaceAll(" ", ",")}}`))].join(" ");
    };
    return h(
      "figure",
      { class: "chart wide" },
      h("figcaption", {}, name),
      h(
        "div",
        { class: "replicas" },
        [...Map.groupBy(ranks, (r) => r.cells["data_parallel_rank"]!)].map(replicaBox),
      ),
      h(
        "p",
        { class: "note" },
        `MB = 1e6 bytes. Groups: TP ${groups("tensor")} (all-reduce in every layer); ` +
          `PP ${groups("pipeline")} (hidden states); DP ${groups("data")} (nothing)`,
      ),
    );
  });
}

function replicaBox([replica, ranks]: readonly [string, readonly Row[]]): HTMLElement {
  return h(
    "div",
    { class: "replica" },
    h("h4", {}, `replica ${replica}`),
    [...Map.groupBy(ranks, (r) => r.cells["pipeline_parallel_rank"]!)].map(stageBox),
  );
}

function stageBox([stage, tpRanks]: readonly [string, readonly Row[]]): HTMLElement {
  const { cells } = tpRanks[0]!;
  return h(
    "div",
    { class: "stage" },
    h(
      "div",
      { class: "quiet" },
      `stage ${stage}, layers ${cells["first_layer"]}-${cells["last_layer"]}`,
    ),
    h("div", { class: "ranks" }, tpRanks.map(rankBox)),
  );
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
  return h(
    "div",
    { class: "rank" },
    h("b", {}, `rank ${cells["rank"]}`),
    lines.map((line) => h("div", {}, line)),
  );
}
