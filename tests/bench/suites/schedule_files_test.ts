import { assertEquals } from "@std/assert";
import { ScheduleFiles } from "../../../bench/suites/schedules/schedule_files.ts";
import { parseModelShape } from "../../../model/shape.ts";
import { sizedRanks } from "../../../model/replicas.ts";
import { readRows } from "../../../records/files/csv_rows.ts";
import { readTraceEvents } from "../../../records/run_folder/trace_events.ts";
import type { Repetition } from "../../../runtime/layout_run.ts";
import { inFolder } from "../../in_folder.ts";

/** A repetition of one rank whose only step takes so many ms. */
function repetition(ms: number): Repetition {
  const spans = [{ kind: "compute", start: 0, end: ms }] as const;
  const step = { step: 0, start: 0, end: ms, tokens: 1, submitUs: 1, waitUs: 1, spans };
  const ranks = [{ globalRank: 0, stage: 0, tpRank: 0, steps: [step] }];
  const trace = { stages: 1, inFlight: [{ start: 0, end: ms }], ranks };
  // What a file of timelines does not ask for is left out.
  return { traces: [trace], wall: { start: 0, end: ms } } as unknown as Repetition;
}

Deno.test("a case that is measured again has one timeline, the later one, beside the others'", () =>
  inFolder((folder) => {
    const files = new ScheduleFiles(folder);
    files.addTrace("a", repetition(1));
    files.addTrace("b", repetition(2));
    const resumed = new ScheduleFiles(folder);
    resumed.addTrace("a", repetition(3));
    resumed.addTrace("c", repetition(4));
    const events = readTraceEvents(`${folder}/timeline.json`);
    const names = events.filter(({ name }) => name === "process_name");
    const spans = events.filter(({ ph }) => ph === "X");
    const found = names.map(({ pid, args }) => [
      args!["name"],
      spans.filter((span) => span.pid === pid).map(({ dur }) => dur),
    ]);
    assertEquals(found.toSorted(), [["a", [3000]], ["b", [2000]], ["c", [4000]]]);
  }));

Deno.test("a rank that is opened again has one row in ranks.csv, the later one", () =>
  inFolder((folder) => {
    const model = parseModelShape({
      architectures: ["MistralForCausalLM"],
      hidden_size: 64,
      num_attention_heads: 4,
      intermediate_size: 96,
      num_hidden_layers: 2,
      vocab_size: 320,
    }, { name: "tiny", path: "tiny" });
    const cacheConfig = {
      dtype: "float32",
      maxNumSeqs: 1,
      maxModelLen: 8,
      maxNumBatchedTokens: 4,
      maxStorageBufferBindingSize: 2 ** 27,
    } as const;
    const ranks = (pipelineParallelSize: number, weightBytes: number) => {
      const sizes = { tensorParallelSize: 1, pipelineParallelSize, dataParallelSize: 1 };
      return sizedRanks(model, { ...sizes, order: "vllm" }, cacheConfig)
        .map((rank) => ({ ...rank, allocated: { weightBytes, kvCacheBytes: 1 } }));
    };
    new ScheduleFiles(folder).addRanks(ranks(1, 10));
    new ScheduleFiles(folder).addRanks(ranks(2, 20));
    new ScheduleFiles(folder).addRanks(ranks(1, 30));
    const { rows } = readRows(`${folder}/ranks.csv`);
    const columns = ["pipeline_parallel_size", "rank", "weight_bytes_allocated"];
    assertEquals(rows.map((row) => columns.map((column) => row[column])), [
      ["1", "0", "30"],
      ["2", "0", "20"],
      ["2", "1", "20"],
    ]);
  }));
