import { assert, assertEquals, assertThrows } from "@std/assert";
import { exists } from "../../records/files/exists.ts";
import { FileError } from "../../records/files/file_error.ts";
import { readManifest } from "../../records/run_folder/manifest.ts";
import { readRunFiles } from "../../records/run_folder/run_files.ts";
import {
  createRunFolder,
  resumeRunFolder,
  type RunFolder,
} from "../../records/run_folder/run_folder.ts";
import type { NewPart } from "../../records/run_folder/run_part.ts";
import type { Cells } from "../../records/rows/column.ts";
import { deriveRows, type SampledRow } from "../../records/rows/derive_rows.ts";
import { verifyRun } from "../../report/verify_run.ts";
import { inFolder } from "../in_folder.ts";
import golden from "./golden_rows.json" with { type: "json" };

const CONFIG = {
  name: "small",
  document: { name: "small", model: "m.json", seed: 0 },
  model: { layers: 1 },
  modelPath: "/m.json",
};

const PART: NewPart = {
  environment: {
    commit: { id: "abc", dirty: null },
    sources_hash: "012",
    deno_version: "2.9.6",
    cpu_model: "a CPU",
    logical_cores: 2,
    variables: { LP_NUM_THREADS: null },
  },
  adapter: { name: "an adapter", type: "software", features: [], limits: { maxBindGroups: 8 } },
  selection: { suites: ["kernels"], filter: null },
};

/** Rows of the kernels suite as a suite hands them over: one naive and what refers to it. */
function kernelRows(runId: string): readonly SampledRow<Cells>[] {
  const own = golden.kernels as unknown as readonly SampledRow<Cells>[];
  const [adapter, adapter_type] = ["an adapter", "software"];
  const rows = own.map((one) => ({
    ...one,
    row: { ...one.row, schema_version: 2, run_id: runId, adapter, adapter_type } as Cells,
  }));
  return deriveRows("kernels", rows);
}

function problems(out: string): readonly string[] {
  const { contradictions, is_finished } = verifyRun(readRunFiles(out));
  const texts = contradictions.map((one) => `${one.file} ${one.column}: ${one.found}`);
  return is_finished ? texts : [...texts, "not finished"];
}

function speedUps(run: RunFolder): number {
  return [...run.rows("kernels").rows.values()].filter((row) => row["speedup_vs_naive"]).length;
}

Deno.test("a run folder is never shared, never overwritten, and resumed only with its configuration", () =>
  inFolder((folder) => {
    const out = `${folder}/run`;
    const resume = (config = CONFIG) => resumeRunFolder(out, { config, part: PART });
    {
      using _run = createRunFolder(CONFIG, PART, { out });
      assertThrows(() => createRunFolder(CONFIG, PART, { out }), FileError, "in use");
      assertThrows(() => resume(), FileError, "another run");
    }
    assertThrows(() => createRunFolder(CONFIG, PART, { out }), FileError, "not empty");
    resume()[Symbol.dispose]();
    const other = { ...CONFIG, document: { ...CONFIG.document, seed: 5 } };
    assertThrows(() => resume(other), FileError, "another configuration");
  }));

Deno.test("a row that came before what its speed-up refers to is computed again at the end", () =>
  inFolder((folder) => {
    const out = `${folder}/run`;
    {
      using run = createRunFolder(CONFIG, PART, { out });
      const rows = kernelRows(run.runId);
      const [naive, ...others] = rows.toSorted((a, b) =>
        Number(b.row["variant"] === "naive") - Number(a.row["variant"] === "naive")
      );
      // As a run that is cut off measures: each derived from what there is so far.
      for (const one of others) run.addRow("kernels", deriveRows("kernels", [one])[0]!);
      run.seal({ interrupted: true });
      assertEquals([problems(out), speedUps(run)], [["not finished"], 0]);
      run.addRow("kernels", naive!);
      run.seal({ interrupted: false });
      assert(speedUps(run) > 1);
    }
    assertEquals(problems(out), []);
  }));

Deno.test("a failed row is measured again and gives way; samples that a cut left without a row go", () =>
  inFolder((folder) => {
    const out = `${folder}/run`;
    const all = (runId: string) => kernelRows(runId).filter(({ row }) => row["status"] === "ok");
    {
      using run = createRunFolder(CONFIG, PART, { out });
      const [first, second] = all(run.runId);
      const reason = "out of memory";
      const failed = { ...first!.row, status: "failed", reason, samples: 0 };
      run.addRow("kernels", deriveRows("kernels", [{ row: failed, series: {} }])[0]!);
      run.addRow("kernels", second!);
    }
    // The second row is lost, its samples are not; the lock and a draft are left behind.
    const csv = `${out}/kernels.csv`;
    const lines = Deno.readTextFileSync(csv).split(/(?<=\n)/);
    Deno.writeTextFileSync(csv, lines.slice(0, -1).join("") + lines.at(-1)!.slice(0, 30));
    Deno.writeTextFileSync(`${out}/.lock`, "");
    const draft = `${out}/manifest.json.${crypto.randomUUID()}.part`;
    Deno.writeTextFileSync(draft, "{");
    {
      using run = resumeRunFolder(out, { config: CONFIG, part: PART });
      assertEquals([...run.finished("kernels").keys(), exists(draft)], [false]);
      const [first] = all(run.runId);
      run.addRow("kernels", first!);
      run.dropStale("kernels");
      assertEquals([...run.rows("kernels").rows.keys()], [first!.row["row_key"]]);
      run.seal({ interrupted: false });
    }
    assertEquals(problems(out), []);
    assertEquals(Deno.readTextFileSync(`${out}/samples.jsonl`).trim().split("\n").length, 1);
    const { parts } = readManifest(out);
    assertEquals(parts!.map(({ ended_at }) => ended_at === undefined), [true, false]);
  }));

Deno.test("what was to be measured again and no longer is a case goes with its samples", () =>
  inFolder((folder) => {
    const out = `${folder}/run`;
    using run = createRunFolder(CONFIG, PART, { out });
    const [one, two] = kernelRows(run.runId);
    run.addRow("kernels", { ...one!, row: { ...one!.row, status: "failed" } });
    run.addRow("kernels", two!);
    assertEquals([...run.finished("kernels").keys()], [two!.row["row_key"]]);
    run.dropStale("kernels");
    run.seal({ interrupted: false });
    assertEquals([...run.rows("kernels").rows.keys()], [two!.row["row_key"]]);
    assertEquals(problems(out), []);
  }));

Deno.test("a run goes on with what would measure the same, and says all that differs otherwise", () =>
  inFolder((folder) => {
    const out = `${folder}/run`;
    createRunFolder(CONFIG, PART, { out })[Symbol.dispose]();
    const { environment, adapter } = PART;
    const others: readonly (readonly [Partial<NewPart>, string])[] = [
      [{ adapter: { ...adapter, name: "another" } }, "adapter was an adapter (software) and is "],
      [{ adapter: { ...adapter, limits: { maxBindGroups: 4 } } }, "driver (features and limits"],
      [{ environment: { ...environment, commit: { id: "def" } } }, "commit was abc and is def"],
      [{ environment: { ...environment, sources_hash: "3" } }, "sources (sources_hash) was 012"],
      [{ environment: { ...environment, deno_version: "3" } }, "deno_version was 2.9.6 and is 3"],
      [
        { environment: { ...environment, variables: { LP_NUM_THREADS: "1" } } },
        "LP_NUM_THREADS was null and is 1",
      ],
    ];
    for (const [fields, message] of others) {
      const part = { ...PART, ...fields };
      assertThrows(() => resumeRunFolder(out, { config: CONFIG, part }), FileError, message);
    }
    const part = { ...PART, environment: { ...environment, deno_version: "3" } };
    assertEquals(readManifest(out).parts!.length, 1);
    using run = resumeRunFolder(out, { config: CONFIG, part, anyway: true });
    run.seal({ interrupted: false });
    const { parts } = readManifest(out);
    assertEquals(parts!.map((one) => one.environment["deno_version"]), ["2.9.6", "3"]);
    assertEquals(parts![1]!.resumed_anyway, ["deno_version was 2.9.6 and is 3"]);
    assertEquals(problems(out), []);
  }));

Deno.test("the manifest speaks of the run as a whole: shaders and selections of all parts", () =>
  inFolder((folder) => {
    const out = `${folder}/run`;
    {
      using run = createRunFolder(CONFIG, PART, { out });
      run.updatePart({ shaders: { "gemm/naive": "a", "add/naive": "b" } });
    }
    const selection = { suites: ["schedules"], filter: "^step" };
    const part = { ...PART, selection };
    using run = resumeRunFolder(out, { config: CONFIG, part });
    run.updatePart({ shaders: { "gemm/naive": "c" } });
    const manifest = readManifest(out);
    assertEquals(manifest["shaders"], { "gemm/naive": "c", "add/naive": "b" });
    assertEquals(manifest["selection"], { suites: ["kernels", "schedules"], filter: null });
  }));

Deno.test("a lock outlives no process that is killed, and a live one is respected", () =>
  inFolder(async (folder) => {
    const out = `${folder}/run`;
    createRunFolder(CONFIG, PART, { out })[Symbol.dispose]();
    const lock = new URL("../../records/files/folder_lock.ts", import.meta.url).href;
    const script = `${folder}/holder.ts`;
    await Deno.writeTextFile(
      script,
      `import { FolderLock } from "${lock}";
       using _lock = FolderLock.take(Deno.args[0]!, { isNew: false });
       console.log("taken");
       await Deno.stdin.read(new Uint8Array(1));`,
    );
    const child = new Deno.Command("deno", {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--no-prompt",
        "--allow-read",
        "--allow-write",
        script,
        out,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read(); // it says that it has the lock
    const resume = () => resumeRunFolder(out, { config: CONFIG, part: PART });
    assertThrows(resume, FileError, "another run uses it");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await child.stdin.close().catch(() => {});
    assert(Deno.lstatSync(`${out}/.lock`).isFile);
    resume()[Symbol.dispose]();
  }));
