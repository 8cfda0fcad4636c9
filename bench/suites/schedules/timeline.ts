/** A run as others draw it: a Chrome trace, PyTorch's pipeline schedule, and a line a rank of text. */

import { stringify } from "@std/csv";
import type { TraceEvent } from "../../../records/run_folder/trace_events.ts";
import type {
  Interval,
  RankTrace,
  ReplicaTrace,
  SpanKind,
} from "../../../runtime/replica_trace.ts";

/** Chrome's names of colours; Perfetto colours by the name of the event. */
const COLOURS: Readonly<Record<SpanKind, string>> = {
  compute: "thread_state_running",
  all_reduce: "thread_state_iowait",
  all_gather: "rail_response",
  gather: "rail_response",
  argmax: "rail_response",
  send: "rail_animation",
  receive: "rail_idle",
};

/**
 * The events of one case: a process named after it, a thread a rank, and an arrow from each send to
 * where it is received.
 */
export function traceEvents(
  replicas: readonly ReplicaTrace[],
  { label, process, startMs }: {
    readonly label: string;
    readonly process: number;
    /** When the case began, in ms since 1970: time 0 of its events. */
    readonly startMs: number;
  },
): readonly TraceEvent[] {
  const us = (ms: number) => Number(((ms - startMs) * 1000).toFixed(3));
  const events: TraceEvent[] = [
    { ph: "M", name: "process_name", pid: process, args: { name: label } },
    { ph: "M", name: "process_sort_index", pid: process, args: { sort_index: process } },
  ];
  for (const [replica, { ranks }] of replicas.entries()) {
    const first = Math.min(...ranks.flatMap(({ steps }) => steps.map(({ step }) => step)));
    for (const { globalRank, stage, tpRank, steps } of ranks) {
      const at = { pid: process, tid: globalRank };
      const name = `rank ${globalRank}: replica ${replica}, stage ${stage}, tp ${tpRank}`;
      events.push(
        { ph: "M", name: "thread_name", ...at, args: { name } },
        { ph: "M", name: "thread_sort_index", ...at, args: { sort_index: globalRank } },
      );
      for (const { step, tokens, spans } of steps) {
        for (const { kind, start, end, gpuUs, ops } of spans) {
          const ts = us(start);
          const args = {
            batch: step - first,
            tokens,
            ...(gpuUs === undefined ? {} : { gpu_us: gpuUs }),
          };
          events.push({
            ph: "X",
            name: kind,
            cat: kind === "compute" ? "compute" : "transfer",
            cname: COLOURS[kind],
            ts,
            dur: Number(((end - start) * 1000).toFixed(3)),
            ...at,
            args: ops ? { ...args, first_op: ops[0], last_op: ops[1] } : args,
          });
          if (kind !== "send" && kind !== "receive") continue;
          const to = kind === "send" ? stage + 1 : stage;
          const id = `${process}.${replica}.${to}.${tpRank}.${step}`;
          const flow = { name: "hidden states", cat: "send", id, ts, ...at };
          events.push(kind === "send" ? { ph: "s", ...flow } : { ph: "f", bp: "e", ...flow });
        }
      }
    }
  }
  return events;
}

/**
 * The forward passes of a replica as PyTorch writes pipeline schedules: a row a stage, a column a slot,
 * `0F3` for stage 0 and micro-batch 3, blank where a stage idles. Slots follow what was measured: a
 * batch comes behind its own last stage, the batch before, and every result that it was launched after.
 */
export function pipelineCsv({ stages, inFlight }: ReplicaTrace): string {
  const grid = Array.from({ length: stages }, () => [] as string[]);
  const ends: number[] = [];
  for (const [batch, flight] of inFlight.entries()) {
    let slot = inFlight.slice(0, batch)
      .reduce(
        (least, { end }, i) => end <= flight.start ? Math.max(least, ends[i]! + 1) : least,
        0,
      );
    for (const [stage, row] of grid.entries()) {
      slot = Math.max(slot, row.length);
      while (row.length < slot) row.push("");
      row.push(`${stage}F${batch}`);
      slot++;
    }
    ends.push(slot - 1);
  }
  const width = Math.max(...grid.map((row) => row.length));
  return stringify(grid.map((row) => [...row, ...new Array<string>(width - row.length).fill("")]));
}

/** Batches that the text shows. */
const TEXT_BATCHES = 8;

/**
 * The first batches as text, a line a rank: the batch's number while a rank computes it, `-` while it
 * transfers, `.` while it waits.
 */
export function textTimeline(
  replica: ReplicaTrace,
  { label, width = 72 }: { readonly label: string; readonly width?: number },
): string {
  const shown = replica.inFlight.slice(0, TEXT_BATCHES);
  if (shown.length === 0) return "";
  const start = shown[0]!.start;
  const end = Math.max(...shown.map((flight) => flight.end));
  const title = `${label}: ${shown.length} of ${replica.inFlight.length} batches, ` +
    `${(end - start).toPrecision(3)} ms`;
  const lines = replica.ranks.map((rank) =>
    `  rank ${String(rank.globalRank).padStart(2)} |${row(rank, { start, end }, width)}|`
  );
  return [title, ...lines].join("\n");
}

function row({ steps }: RankTrace, { start, end }: Interval, width: number): string {
  const cells = new Array<string>(width).fill(".");
  const first = Math.min(...steps.map(({ step }) => step));
  const paint = (from_: number, to: number, mark: string) => {
    const [a, b] = [from_, to].map((ms) => Math.round((ms - start) / (end - start) * width));
    for (let i = Math.max(0, a!); i < Math.min(width, b!); i++) cells[i] = mark;
  };
  for (const { step, spans } of steps) {
    for (const { kind, start: from_, end: to } of spans) {
      paint(from_, to, kind === "compute" ? ((step - first) % 36).toString(36) : "-");
    }
  }
  return cells.join("");
}
