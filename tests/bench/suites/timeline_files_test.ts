import { assertEquals, assertThrows } from "@std/assert";
import { ranksCsv, ScheduleFiles } from "../../../bench/suites/schedules/schedule_files.ts";
import { sizedRanks } from "../../../model/replicas.ts";
import type { Layout } from "../../../parallel/layout.ts";
import { FileError } from "../../../records/files/file_error.ts";
import type { Repetition } from "../../../runtime/layout_run.ts";
import { inFolder } from "../../in_folder.ts";
import { tinyModel, tinyStage } from "../../runtime/tiny.ts";

/** One batch over so many stages of 10 ms, begun at 500 ms. */
function repetition(stages: number): Repetition {
  const ranks = Array.from({ length: stages }, (_, stage) => {
    const [start, end] = [500 + 10 * stage, 510 + 10 * stage];
    const spans = [{ kind: "compute", start, end }];
    const step = { step: 0, tokens: 1, start, end, spans, submitUs: 0, waitUs: 0 };
    return { globalRank: stage, stage, tpRank: 0, steps: [step] };
  });
  const inFlight = [{ start: 500, end: 500 + 10 * stages }];
  const part: unknown = {
    traces: [{ stages, inFlight, ranks }],
    wall: { start: 400, end: 600 },
  };
  return part as Repetition;
}

interface Event {
  readonly ph: string;
  readonly pid: number;
  readonly name: string;
  readonly ts?: number;
}

const read = (path: string) => Deno.readTextFileSync(path);
const events = (folder: string): readonly Event[] =>
  JSON.parse(read(`${folder}/timeline.json`)).traceEvents;

Deno.test("each case is a process of the timeline, from its own start; a resumed run goes on counting", () =>
  inFolder((folder) => {
    const files = new ScheduleFiles(folder);
    files.addTrace("one", repetition(1));
    files.addTrace("two: tp=1", repetition(2));
    const resumed = new ScheduleFiles(folder);
    resumed.addTrace("three", repetition(1));
    const named = events(folder).filter(({ name }) => name === "process_name");
    assertEquals(named.map(({ pid }) => pid), [0, 1, 2]);
    const spans = events(folder).filter(({ ph }) => ph === "X").map(({ pid, ts }) => [pid, ts]);
    assertEquals(spans, [[0, 100_000], [1, 100_000], [1, 110_000], [2, 100_000]]);
    assertEquals(JSON.parse(read(`${folder}/timeline.json`)).displayTimeUnit, "ms");
    // Only what has stages has a schedule of them, and a few lines of text.
    const csv = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(".csv")
    );
    assertEquals(csv, ["pipeline_two_tp_1.csv"]);
    assertEquals(read(`${folder}/${csv[0]}`).trim().split(/\r?\n/), ["0F0,", ",1F0"]);
    assertEquals(files.texts.map((text) => text.split("\n")[0]), [
      "two: tp=1: 1 of 1 batches, 20.0 ms",
    ]);
    assertEquals(resumed.texts, []);
    return Promise.resolve();
  }));

Deno.test("a timeline that cannot be read is an error that names it", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/timeline.json`, "{");
    assertThrows(() => new ScheduleFiles(folder), FileError, "timeline.json");
  }));

const LAYOUT: Layout = {
  ...{ tensorParallelSize: 2, pipelineParallelSize: 2, dataParallelSize: 2 },
  order: "megatron",
};

function ranks() {
  const { dtype, maxNumSeqs, maxModelLen, maxNumBatchedTokens, maxStorageBufferBindingSize } =
    tinyStage(tinyModel());
  const cache = {
    dtype,
    maxNumSeqs,
    maxModelLen,
    maxNumBatchedTokens,
    maxStorageBufferBindingSize,
  };
  return sizedRanks(tinyModel({ num_hidden_layers: 5 }), LAYOUT, { ...cache, layers: [2, 3] });
}

Deno.test("ranks.csv has a rank's place, share, groups and bytes", () => {
  const all = ranks();
  const allocated = { weightBytes: 11, kvCacheBytes: 22 };
  const [header, ...lines] = ranksCsv(all.map((rank) => ({ ...rank, allocated }))).trim()
    .split("\r\n").map((line) => line.split(","));
  assertEquals(lines.length, 8);
  const row = Object.fromEntries(header!.map((name, i) => [name, lines[5]![i]]));
  const { weight_bytes_predicted, kv_cache_bytes_predicted, ...rest } = row;
  assertEquals(rest, {
    rank: "5",
    data_parallel_rank: "0",
    pipeline_parallel_rank: "1",
    tensor_parallel_rank: "1",
    first_layer: "2",
    last_layer: "4",
    query_heads: "2",
    kv_heads: "1",
    kv_head_replicas: "1",
    vocab_start: "64",
    vocab_end: "101",
    vocab_padding: "27",
    tensor_parallel_group: "4 5",
    pipeline_parallel_group: "1 5",
    data_parallel_group: "5 7",
    weight_bytes_allocated: "11",
    kv_cache_bytes_allocated: "22",
    tensor_parallel_size: "2",
    pipeline_parallel_size: "2",
    data_parallel_size: "2",
    layout_order: "megatron",
  });
  const { memory } = all[5]!;
  assertEquals([Number(weight_bytes_predicted), Number(kv_cache_bytes_predicted)], [
    memory.weightBytes,
    memory.kvCacheBytes,
  ]);
  const planned = ranksCsv(all).trim().split("\r\n")[6]!.split(",");
  const at = header!.indexOf("weight_bytes_allocated");
  assertEquals([planned[at], planned[at - 1]], ["", String(memory.weightBytes)]);
});

Deno.test("ranks of several layouts stand below each other, each line once", () =>
  inFolder((folder) => {
    const all = ranks();
    const files = new ScheduleFiles(folder);
    files.addRanks(all.slice(0, 3));
    files.addRanks(all.slice(2, 5));
    new ScheduleFiles(folder).addRanks(all.slice(0, 6));
    assertEquals(read(`${folder}/ranks.csv`), ranksCsv(all.slice(0, 6)));
    return Promise.resolve();
  }));
