import { Table } from "@cliffy/table";

/** What is drawn of a rank: ranges from start to before end, bytes. */
export interface DrawnRank {
  readonly rank: number;
  readonly dataParallelRank: number;
  readonly pipelineParallelRank: number;
  readonly tensorParallelRank: number;
  readonly layers: { readonly start: number; readonly end: number };
  readonly heads: Readonly<Record<"queryStart" | "queryEnd" | "kvStart" | "kvEnd", number>>;
  readonly vocab: { readonly start: number; readonly end: number };
  readonly memory: { readonly weightBytes: number; readonly kvCacheBytes: number };
  readonly tensorParallel: readonly number[];
  readonly pipelineParallel: readonly number[];
  readonly dataParallel: readonly number[];
}

/** A table of the ranks of a layout, and the groups that communicate. */
export function rankDrawing(table: readonly DrawnRank[]): string {
  const header = [
    "rank",
    "dp",
    "pp",
    "tp",
    "layers",
    "q heads",
    "kv heads",
    "vocab",
    "weights MB",
    "KV cache MB",
  ];
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const rows = table.map((r) => [
    String(r.rank),
    String(r.dataParallelRank),
    String(r.pipelineParallelRank),
    String(r.tensorParallelRank),
    `${r.layers.start}-${r.layers.end - 1}`,
    `${r.heads.queryStart}-${r.heads.queryEnd - 1}`,
    `${r.heads.kvStart}-${r.heads.kvEnd - 1}`,
    `${r.vocab.start}-${r.vocab.end - 1}`,
    megabytes(r.memory.weightBytes),
    megabytes(r.memory.kvCacheBytes),
  ]);
  const groups = (key: "tensorParallel" | "pipelineParallel" | "dataParallel") =>
    [...new Set(table.map((r) => `{${r[key].join(",")}}`))].join(" ");
  return [
    new Table().header(header).body(rows).columns(header.map(() => ({ align: "right" }))).padding(2)
      .toString(),
    "",
    "communication groups",
    `  TP  ${groups("tensorParallel")}  all-reduce in every layer`,
    `  PP  ${groups("pipelineParallel")}  hidden states from stage to stage`,
    `  DP  ${groups("dataParallel")}  nothing`,
  ].join("\n");
}
