/** Files of the schedules suite beside its rows: timelines and ranks. */

import { join } from "node:path";
import type { Repetition } from "../../../runtime/layout_run.ts";
import { ranksCsv } from "./rank_row.ts";
import type { SizedRank } from "../../../model/replicas.ts";
import { exists } from "../../../records/files/exists.ts";
import { FileError } from "../../../records/files/file_error.ts";
import { writeWhole } from "../../../records/files/write_whole.ts";
import { pipelineCsv, textTimeline, type TraceEvent, traceEvents } from "./timeline.ts";

/** Writes timeline.json, a pipeline_<case>.csv a pipelined case, and ranks.csv into a run folder. */
export class ScheduleFiles {
  readonly #folder: string;
  readonly #events: TraceEvent[];
  readonly #texts: string[] = [];
  #processes: number;

  /** Files of a folder; a resumed run adds to those that are there. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#events = readEvents(join(folder, "timeline.json"));
    this.#processes = new Set(this.#events.map(({ pid }) => pid)).size;
  }

  /** A few lines of text for each pipelined case. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** Takes the last repetition of a case. */
  addTrace(label: string, { traces, wall }: Repetition): void {
    const process = this.#processes++;
    this.#events.push(...traceEvents(traces, { label, process, startMs: wall.start }));
    const lines = this.#events.map((event) => JSON.stringify(event)).join(",\n");
    const json = `{"displayTimeUnit":"ms","traceEvents":[\n${lines}\n]}\n`;
    writeWhole(join(this.#folder, "timeline.json"), json);
    const [first] = traces;
    if (!first || first.stages === 1) return;
    const slug = label.replaceAll(/[^A-Za-z0-9_]+/g, "_");
    writeWhole(join(this.#folder, `pipeline_${slug}.csv`), pipelineCsv(first));
    this.#texts.push(textTimeline(first, { label }));
  }

  /** Takes the ranks of a layout. */
  addRanks(ranks: readonly SizedRank[]): void {
    const [header, ...lines] = ranksCsv(ranks).split(/(?<=\r\n)/);
    const path = join(this.#folder, "ranks.csv");
    const before = exists(path) ? Deno.readTextFileSync(path) : "";
    const known = before.split(/(?<=\r\n)/);
    const fresh = lines.filter((line) => !known.includes(line));
    writeWhole(path, (before === "" ? header! : before) + fresh.join(""));
  }
}

function readEvents(path: string): TraceEvent[] {
  if (!exists(path)) return [];
  try {
    return JSON.parse(Deno.readTextFileSync(path)).traceEvents;
  } catch (cause) {
    throw new FileError("read", path, { cause });
  }
}
