import { assertEquals } from "@std/assert";
import { repeatRuns, type StartedRun, startRun, THIS_TREE } from "../../cli/repeat_runs.ts";
import { exists } from "../../records/files/exists.ts";
import { inFolder } from "../in_folder.ts";

/** A set of three runs that end with these statuses, in turn; Ctrl-C comes during the run `interrupted`. */
async function repeated(folder: string, statuses: readonly number[], interrupted?: number) {
  const started: StartedRun[] = [];
  const { signal, abort } = controls();
  const start = (run: StartedRun) => {
    started.push(run);
    if (started.length === interrupted) abort();
    return Promise.resolve(statuses[started.length - 1]!);
  };
  const lines: unknown[] = [];
  const { error } = console;
  console.error = (text: unknown) => void lines.push(text);
  try {
    const args = ["--config", "c.json"];
    const set = await repeatRuns({ folder, repeat: 3, args, signal, start });
    return { set, started, lines };
  } finally {
    console.error = error;
  }
}

function controls() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

const setOf = (folder: string) => JSON.parse(Deno.readTextFileSync(`${folder}/set.json`));

Deno.test("a set is as many runs as asked for, in folders by number, which set.json names", () =>
  inFolder(async (folder) => {
    const { set, started, lines } = await repeated(folder, [0, 0, 0]);
    const folders = [1, 2, 3].map((place) => `${folder}/run_${place}`);
    assertEquals(set, { folders, status: 0 });
    assertEquals(
      started.map(({ tree, args }) => [tree, ...args]),
      folders.map((out) => [THIS_TREE, "--config", "c.json", "--out", out]),
    );
    assertEquals(lines, ["run 1 of 3", "run 2 of 3", "run 3 of 3"]);
    assertEquals(setOf(folder), { kind: "set", runs: ["run_1", "run_2", "run_3"] });
  }));

Deno.test("a run with wrong rows counts and gives its status; one that fails ends the set", () =>
  inFolder(async (folder) => {
    const wrong = await repeated(folder, [0, 3, 0]);
    assertEquals([wrong.set.folders.length, wrong.set.status], [3, 3]);
    const failed = await repeated(folder, [3, 6, 0]);
    assertEquals(failed.set, { folders: [`${folder}/run_1`], status: 3 });
    assertEquals([failed.started.length, setOf(folder).runs], [2, ["run_1"]]);
    const none = `${folder}/none`;
    assertEquals((await repeated(none, [2])).set, { folders: [], status: 2 });
    assertEquals(exists(none), false);
  }));

Deno.test("after Ctrl-C no further run is started; what was finished is kept", () =>
  inFolder(async (folder) => {
    const cut = await repeated(folder, [0, 130, 0], 2);
    assertEquals([cut.set, cut.started.length], [
      { folders: [`${folder}/run_1`], status: 130 },
      2,
    ]);
    const whole = await repeated(folder, [0, 0, 0], 1);
    assertEquals([whole.set, whole.started.length], [
      { folders: [`${folder}/run_1`], status: 130 },
      1,
    ]);
  }));

Deno.test("a run of another tree is its task, given the words, and its status is told", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ tasks: { run: "exit" } }));
    const { signal } = controls();
    assertEquals(await startRun({ tree: folder, args: ["7"], signal }), 7);
    assertEquals(await startRun({ tree: folder, args: ["0"], signal }), 0);
  }));

Deno.test("Ctrl-C ends a run that is started, or was just about to be", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ tasks: { run: "sleep" } }));
    const run = { tree: folder, args: ["300"] };
    assertEquals(await startRun({ ...run, signal: AbortSignal.abort() }), 130);
    const { signal, abort } = controls();
    const status = startRun({ ...run, signal });
    abort();
    assertEquals(await status, 130);
  }));
