import { assert, assertEquals } from "@std/assert";
import { openSession } from "../../../bench/measure/session.ts";
import { measureWith, type RunRequest } from "../../../bench/suites/measure_run.ts";
import { loadConfig } from "../../../config/config.ts";
import { Device } from "../../../device/device.ts";
import { loadRun } from "../../../records/run_folder/load_run.ts";
import { readManifest } from "../../../records/run_folder/manifest.ts";
import { readRunFiles, type RunFiles } from "../../../records/run_folder/run_files.ts";
import { verifyRun } from "../../../report/verify_run.ts";
import { shuffled } from "../../../statistics/shuffled.ts";
import { CONFIG, inConfigFolder } from "../../cli/shardbench.ts";
import { withOwnVariables } from "../../own_variables.ts";

/** A few rows of every suite: speed-ups in two of them, a link in the third. */
const FEW = {
  ...CONFIG,
  kernels: {
    ops: ["add", "embedding"],
    tensor_parallel_sizes: [1],
    tokens: [1],
    context: [16],
    variants: ["best", "naive", "vector"],
  },
  collectives: {
    ops: ["all_reduce"],
    ranks: [2],
    sizes: "64B:1KiB:*16",
    algorithms: ["ring"],
    transports: ["workers"],
    memory: ["host"],
  },
  schedules: {
    ...CONFIG.schedules,
    schedules: ["step_with_batch_queue", "step"],
    requests: { count: 2, prompt_tokens: 2, output_tokens: 2 },
  },
};

/** Where a run can be cut: each time that something reaches the disk. */
const CUTS = 7;
const INTERRUPTS = 3;

/** Notes what a folder holds each time that a process which is killed then would leave it so. */
async function snapshots(
  folder: string,
  run: () => Promise<unknown>,
): Promise<readonly RunFiles[]> {
  const { syncDataSync, syncSync } = Deno.FsFile.prototype;
  const { renameSync } = Deno;
  const seen: RunFiles[] = [];
  const note = () => void seen.push(readRunFiles(folder));
  Deno.FsFile.prototype.syncDataSync = function () {
    syncDataSync.call(this);
    note();
  };
  Deno.FsFile.prototype.syncSync = function () {
    syncSync.call(this);
    note(); // a draft that has not its name yet
  };
  Deno.renameSync = (from, to) => {
    renameSync(from, to);
    note();
  };
  try {
    await run();
  } finally {
    Object.assign(Deno.FsFile.prototype, { syncDataSync, syncSync });
    Deno.renameSync = renameSync;
  }
  return seen;
}

/** Writes what a killed process left, the last line of a file that grows cut in its middle. */
function leave(folder: string, { bytes }: RunFiles, cut: string | undefined): void {
  Deno.mkdirSync(folder);
  for (const [name, content] of bytes) {
    const keep = name === cut ? content.length - 20 : content.length;
    Deno.writeFileSync(`${folder}/${name}`, content.subarray(0, keep));
  }
}

function rowKeys(folder: string): readonly string[] {
  return loadRun(folder).suites.flatMap(({ rows }) => rows.map((row) => row["row_key"]!));
}

/** Measures with one device and one session, whose ceilings take longer than all these rows. */
type Measure = (request: Omit<RunRequest, "config">) => Promise<unknown>;

/** Resumes a run and asks what an uninterrupted one is asked. */
async function goOn(folder: string, measure: Measure): Promise<readonly string[]> {
  await measure({ resume: folder });
  const { contradictions, is_finished } = verifyRun(readRunFiles(folder));
  assertEquals(contradictions, [], folder);
  assert(is_finished);
  for (const { started_at, ended_at } of readManifest(folder).parts!.slice(-1)) {
    assert(ended_at! >= started_at);
  }
  const events = Deno.readTextFileSync(`${folder}/timeline.json`);
  const { rows } = loadRun(folder).suites.find(({ suite }) => suite === "schedules")!;
  assertEquals(events.split('"process_name"').length - 1, rows.length);
  assertEquals(Deno.readTextFileSync(`${folder}/links.csv`).trim().split("\n").length, 2);
  return rowKeys(folder).toSorted();
}

Deno.test("a run that is killed or interrupted at any moment is resumed to what an uninterrupted one is", () =>
  inConfigFolder((folder, path) =>
    withOwnVariables({}, async () => {
      await using device = await Device.open();
      const config = await loadConfig(path);
      using session = await openSession(device, `${folder}/tuning`);
      const shared = Object.create(session, { [Symbol.dispose]: { value: () => {} } });
      const open = () => Promise.resolve(shared);
      const measure: Measure = (request) => measureWith({ config, ...request }, { device, open });
      const whole = `${folder}/whole`;
      const seen = await snapshots(whole, () => measure({ folder: whole }));
      const keys = rowKeys(whole).toSorted();
      assert(keys.length === 9 || keys.length === 10, String(keys.length));

      const hasManifest = seen.filter(({ bytes }) => bytes.has("manifest.json"));
      const cuts = shuffled(hasManifest.keys().toArray(), 7).slice(0, CUTS).sort((a, b) => a - b);
      const files = ["samples.jsonl", "kernels.csv", "collectives.csv", "schedules.csv"];
      for (const [place, at] of cuts.entries()) {
        const left = hasManifest[at]!;
        // Every second one is cut in the middle of a line besides.
        const cut = files.filter((name) => (left.bytes.get(name)?.length ?? 0) > 2000);
        leave(`${folder}/cut_${at}`, left, place % 2 === 0 ? undefined : cut.at(-(place % 3)));
        assertEquals(await goOn(`${folder}/cut_${at}`, measure), keys, `cut ${at}`);
      }

      for (const place of shuffled(keys.keys().toArray(), 3).slice(0, INTERRUPTS)) {
        const out = `${folder}/interrupted_${place}`;
        const interrupt = new AbortController();
        let rows = 0;
        const onProgress = () => {
          if (rows++ >= place / 2) interrupt.abort();
        };
        const { signal } = interrupt;
        await measure({ folder: out, onProgress, signal });
        const { contradictions } = verifyRun(readRunFiles(out));
        assertEquals(contradictions, [], out);
        assertEquals(await goOn(out, measure), keys, out);
      }
    }), FEW));
