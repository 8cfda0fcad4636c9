import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError } from "../../records/files/file_error.ts";
import { loadRuns } from "../../records/run_folder/load_runs.ts";
import { inFolder } from "../in_folder.ts";
import { inProcess } from "./in_process.ts";
import { CONFIG, inConfigFolder, shardbench } from "./shardbench.ts";

const FEW = {
  ...CONFIG,
  kernels: { ...CONFIG.kernels, ops: ["add"], tensor_parallel_sizes: [1], tokens: [1] },
  collectives: undefined,
  schedules: undefined,
};

Deno.test("--repeat makes a set of whole runs that compare takes as one side", () =>
  inConfigFolder(async (folder, config) => {
    const set = `${folder}/set`;
    const args = ["run", "--config", config, "--repeat", "1", "--out", set, "--filter", "^add"];
    const made = await shardbench(args, { commands: "deno" });
    assertEquals(made.status, 0, made.stderr);
    assertEquals(made.stdout.trim().split("\n"), [`${set}/run_1`, set]);
    const runs = loadRuns(set);
    assertEquals(runs.map(({ suites }) => suites.map(({ rows }) => rows.length)), [[1]]);
    const sides = [
      "compare",
      `${set}/run_1,${set}`,
      `${set},${set}`,
      "--json",
      "--allow",
      "incomplete",
    ];
    const { rows } = JSON.parse((await shardbench(sides)).stdout);
    assertEquals([rows[0].runs, rows[0].ratio], [[2, 2], 1]);
    const again = await shardbench(args, { commands: "deno" });
    assertEquals(again.status, 2);
    assertStringIncludes(again.stderr, "not empty");
  }, FEW));

Deno.test("selftest keeps the floor of this machine, and compare goes by it", () =>
  inConfigFolder(async (folder, config) => {
    const args = [
      "selftest",
      "--config",
      config,
      "--repeat",
      "4",
      "--out",
      `${folder}/set`,
      "--tuning",
      `${folder}/tuning`,
      "--json",
    ];
    const made = await shardbench(args, { commands: "deno" });
    assertEquals(made.status, 0, made.stderr);
    const { path, floor, false_alarms } = JSON.parse(made.stdout);
    assertEquals(Object.keys(floor.floors).length, 1);
    assertEquals([false_alarms.rows.trials, false_alarms.pairs.trials], [2, 2]);
    assertEquals(JSON.parse(await Deno.readTextFile(path)), floor);
    const set = `${folder}/set`;
    const sides = [
      "compare",
      `${set}/run_1`,
      `${set}/run_2`,
      "--tuning",
      `${folder}/tuning`,
      "--json",
    ];
    const ids = loadRuns(set).map(({ manifest }) => manifest!.run_id);
    assertEquals(new Set(ids).size, 4);
    const { rows, without_floor } = JSON.parse((await shardbench(sides)).stdout);
    assertEquals([rows[0].scatter_from, without_floor], ["machine's floor", 0]);
  }, FEW));

Deno.test("a set without runs, damaged, or with runs elsewhere is refused", () =>
  inFolder(async (folder) => {
    const reference = new URL("../../results/reference", import.meta.url).pathname;
    const sets: readonly (readonly [string, string])[] = [
      ['{"kind": "set", "runs": []}', "it has no run"],
      ["{", "Cannot read the set of runs"],
      ['{"kind": "set", "runs": ["../run"]}', 'its run "../run" lies outside of it'],
      [JSON.stringify({ kind: "set", runs: [reference] }), "lies outside of it"],
    ];
    for (const [text, message] of sets) {
      await Deno.writeTextFile(`${folder}/set.json`, text);
      assertThrows(() => loadRuns(folder), FileError, message);
    }
    const { status, stderr } = await inProcess(["compare", folder, folder]);
    assertEquals(status, 2);
    assertStringIncludes(stderr, "Cannot read the set of runs");
  }));
