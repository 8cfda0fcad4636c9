import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { measureRun, type RunRequest } from "../../../bench/suites/measure_run.ts";
import { exitStatusOf } from "../../../cli/exit_status.ts";
import { resolveConfig } from "../../../config/config.ts";
import { FileError } from "../../../records/files/file_error.ts";
import { readRows } from "../../../records/files/csv_rows.ts";
import { CONFIG } from "../../cli/shardbench.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";
import { inFolder } from "../../in_folder.ts";
import type { PlantedFault } from "../../runtime/fault_injection.ts";

const { kernels, collectives: _, schedules, ...REST } = CONFIG;

/** Measures some suites of the tiny configuration into a folder. */
async function measure(suites: object, request: Omit<RunRequest, "config">) {
  const config = resolveConfig({ ...REST, ...suites }, { path: `${request.folder}.json` });
  return await measureRun({ ...request, config, device: await sharedDevice(), tuning: "" });
}

const ADD = { ...kernels, ops: ["add"], tensor_parallel_sizes: [1], tokens: [1] };

Deno.test("a rank at fault outside a step makes its layout's rows failed ones, and the run goes on", () =>
  inFolder(async (folder) => {
    const fault: PlantedFault = { how: "exit", when: "report" };
    const { Worker } = globalThis;
    let started = 0;
    // The first rank serves requests alone, the next two are the first layout's.
    globalThis.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        const script = new URL("../../runtime/fault_injection.ts", import.meta.url);
        super(++started === 3 ? script : url, { ...options, name: JSON.stringify(fault) });
      }
    };
    try {
      const layouts = [{ pipeline_parallel_size: 2 }, { data_parallel_size: 2 }];
      const model_overrides = { ...CONFIG.model_overrides, num_hidden_layers: 2 };
      const suites = { model_overrides, schedules: { ...schedules, layouts } };
      const { schedules: rows } = await measure(suites, { folder: `${folder}/out` });
      const said = new Map(
        rows.map((row) => [row.pipeline_parallel_size, `${row.status} ${row.reason ?? ""}`.trim()]),
      );
      assertEquals(said.get(1), "ok");
      assertMatch(said.get(2)!, /^failed Cannot go on: rank 1 exited/);
    } finally {
      globalThis.Worker = Worker;
    }
  }));

Deno.test("an interrupt ends the wait for an arrival; what is finished stays, what was cut has no row", () =>
  inFolder(async (folder) => {
    const lines = [1.7e9, 1.8e9].map((arrival_s) => ({
      arrival_s,
      prompt_tokens: 2,
      output_tokens: 1,
    }));
    const trace = `${folder}/trace.jsonl`;
    await Deno.writeTextFile(trace, lines.map((line) => JSON.stringify(line)).join("\n"));
    const interrupt = new AbortController();
    const { setTimeout } = globalThis;
    let waited = 0;
    // The timer of an arrival in years is the longest there is.
    globalThis.setTimeout = ((run: () => void, ms: number) => {
      if (ms === 2 ** 31 - 1) {
        waited++;
        queueMicrotask(() => interrupt.abort());
      }
      return setTimeout(run, ms);
    }) as typeof setTimeout;
    try {
      const run = await measure({
        kernels: ADD,
        schedules: { ...schedules, requests: { trace } },
      }, { folder: `${folder}/out`, signal: interrupt.signal });
      assertEquals([run.interrupted, waited], [true, 1]);
      assertEquals(run.schedules, []);
      const rows = readRows(`${folder}/out/kernels.csv`).rows;
      assert(rows.length > 0 && rows.every(({ status }) => status === "ok"));
    } finally {
      globalThis.setTimeout = setTimeout;
    }
  }));

Deno.test("a results folder that is removed during a run is noticed at the next row", () =>
  inFolder(async (folder) => {
    const out = `${folder}/out`;
    const error = await assertRejects(
      () =>
        measure({ kernels: { ...ADD, tokens: [1, 2, 3] } }, {
          folder: out,
          onProgress: () => Deno.removeSync(out, { recursive: true }),
        }),
      FileError,
      "it is not there",
    );
    assertEquals([error.path.endsWith("samples.jsonl"), exitStatusOf(error)], [true, 2]);
  }));

Deno.test.afterAll(closeSharedDevice);
