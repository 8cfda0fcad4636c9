/** Files of the schedules suite beside its rows: timelines and ranks. */

import { join } from "node:path";
import type { Repetition } from "../../../runtime/layout_run.ts";
import type { SizedRank } from "../../../model/replicas.ts";
import { csvHeader, csvLines } from "../../../records/rows/csv_text.ts";
import { RANK_COLUMNS, type RankRow } from "../../../records/rows/rank_columns.ts";
import { readRows } from "../../../records/files/csv_rows.ts";
import { exists } from "../../../records/files/exists.ts";
import { writeWhole } from "../../../records/files/write_whole.ts";
import type { Cells } from "../../../records/rows/column.ts";
import { readTraceEvents, type TraceEvent } from "../../../records/run_folder/trace_events.ts";
import { pipelineCsv, textTimeline, traceEvents } from "./timeline.ts";

/** Writes timeline.json, a pipeline_<case>.csv a pipelined case, and ranks.csv into a run folder. */
export class ScheduleFiles {
  readonly #folder: string;
  readonly #texts: string[] = [];
  #events: readonly TraceEvent[];

  /** Files of a folder; a resumed run adds to those that are there. */
  constructor(folder: string) {
    this.#folder = folder;
    const path = join(folder, "timeline.json");
    this.#events = exists(path) ? readTraceEvents(path) : [];
  }

  /** A few lines of text for each pipelined case. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** Takes the last repetition of a case, in place of an older one of the same label. */
  addTrace(label: string, { traces, wall }: Repetition): void {
    const isLabel = ({ name, args }: TraceEvent) =>
      name === "process_name" && args?.["name"] === label;
    const old = this.#events.find(isLabel)?.pid;
    const others = this.#events.filter(({ pid }) => pid !== old);
    const process = old ?? others.reduce((most, { pid }) => Math.max(most, pid), -1) + 1;
    this.#events = [...others, ...traceEvents(traces, { label, process, startMs: wall.start })];
    const lines = this.#events.map((event) => JSON.stringify(event)).join(",\n");
    const json = `{"displayTimeUnit":"ms","traceEvents":[\n${lines}\n]}\n`;
    writeWhole(join(this.#folder, "timeline.json"), json);
    const [first] = traces;
    if (!first || first.stages === 1) return;
    const slug = label.replaceAll(/[^A-Za-z0-9_]+/g, "_");
    writeWhole(join(this.#folder, `pipeline_${slug}.csv`), pipelineCsv(first));
    this.#texts.push(textTimeline(first, { label }));
  }

  /** Takes the ranks of a layout, in place of older rows of the same ranks. */
  addRanks(ranks: readonly SizedRank[]): void {
    const path = join(this.#folder, "ranks.csv");
    const rows: readonly Cells[] = exists(path) ? readRows(path).rows : [];
    const byRank = new Map([...rows, ...ranks.map(rankRow)].map((row) => [rankKey(row), row]));
    writeWhole(path, csvHeader(RANK_COLUMNS) + csvLines(RANK_COLUMNS, [...byRank.values()]));
  }
}

/** Which rank of which layout a row is of. */
function rankKey(row: Cells): string {
  const sizes = ["rank", "layout_order", "first_layer", "last_layer"];
  const parallel = ["tensor", "pipeline", "data"].map((kind) => `${kind}_parallel_size`);
  return [...sizes, ...parallel].map((header) => String(row[header])).join(" ");
}

/** A rank as a row of ranks.csv. */
function rankRow(rank: SizedRank): RankRow {
  const { layers, heads, vocab, memory, allocated, layout } = rank;
  return {
    rank: rank.rank,
    data_parallel_rank: rank.dataParallelRank,
    pipeline_parallel_rank: rank.pipelineParallelRank,
    tensor_parallel_rank: rank.tensorParallelRank,
    first_layer: layers.start,
    last_layer: layers.end - 1,
    query_heads: heads.queryEnd - heads.queryStart,
    kv_heads: heads.kvEnd - heads.kvStart,
    kv_head_replicas: heads.kvHeadReplicas,
    vocab_start: vocab.start,
    vocab_end: vocab.end,
    vocab_padding: vocab.padding,
    tensor_parallel_group: rank.tensorParallel.join(" "),
    pipeline_parallel_group: rank.pipelineParallel.join(" "),
    data_parallel_group: rank.dataParallel.join(" "),
    weight_bytes_predicted: memory.weightBytes,
    weight_bytes_allocated: allocated?.weightBytes,
    kv_cache_bytes_predicted: memory.kvCacheBytes,
    kv_cache_bytes_allocated: allocated?.kvCacheBytes,
    tensor_parallel_size: layout.tensorParallelSize,
    pipeline_parallel_size: layout.pipelineParallelSize,
    data_parallel_size: layout.dataParallelSize,
    layout_order: layout.order,
  };
}

/** The text of ranks.csv; allocated bytes are blank where nothing ran. */
export function ranksCsv(ranks: readonly SizedRank[]): string {
  return csvHeader(RANK_COLUMNS) + csvLines(RANK_COLUMNS, ranks.map(rankRow));
}
