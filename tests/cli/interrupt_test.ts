import { assert, assertEquals, assertMatch } from "@std/assert";
import { readRows } from "../../records/files/csv_rows.ts";
import { childVariables } from "../own_variables.ts";
import { CONFIG, inConfigFolder, shardbench } from "./shardbench.ts";

const { kernels: _kernels, schedules, collectives, ...REST } = CONFIG;
const COLLECTIVES = {
  ...REST,
  collectives: {
    ...collectives,
    ops: ["all_reduce"],
    algorithms: ["ring", "one_shot"],
    transports: ["workers"],
    memory: ["host"],
    sizes: "64B:1KiB:*4",
  },
};

/** Runs the command line and sends Ctrl-C, once for each text, when stderr has it. */
async function interrupted(args: readonly string[], texts: readonly string[]) {
  const main = new URL("../../cli/main.ts", import.meta.url).pathname;
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-sys"];
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-prompt", ...permissions, main, ...args],
    clearEnv: true,
    env: childVariables(),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const waiting = [...texts];
  let stderr = "";
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += chunk;
    while (waiting.length > 0 && stderr.includes(waiting[0]!)) {
      waiting.shift();
      child.kill("SIGINT");
    }
  }
  return { status: (await child.status).code, stderr };
}

Deno.test("Ctrl-C keeps the rows of collectives that are done and says how many; resume measures the rest", () =>
  inConfigFolder(async (folder, config) => {
    const out = `${folder}/out`;
    const { status, stderr } = await interrupted(
      ["run", "--config", config, "--out", out],
      ["[1/12]"],
    );
    assertEquals(status, 130, stderr);
    const [, kept] = /interrupted, (\d+) of 12 cases kept/.exec(stderr) ?? [];
    const rows = () => readRows(`${out}/collectives.csv`).rows.length;
    assertEquals(rows(), Number(kept), stderr);
    assert(rows() >= 1 && rows() < 12, `${rows()}`);
    assert(!stderr.includes("done in"), stderr);

    const again = await shardbench(["run", "--config", config, "--resume", out]);
    assertEquals(again.status, 0, again.stderr);
    assertEquals(rows(), 12);
    assertEquals((await shardbench(["verify", out])).status, 0);
  }, COLLECTIVES));

Deno.test("a second Ctrl-C ends at once, with what was finished on the disk", () =>
  inConfigFolder(async (folder, config) => {
    const out = `${folder}/out`;
    const { status, stderr } = await interrupted(
      ["run", "--config", config, "--out", out],
      ["[1/12]", "interrupted: ends after"],
    );
    assertEquals(status, 130, stderr);
    assertMatch(stderr, /Ctrl-C again ends at once/);
    assert(readRows(`${out}/collectives.csv`).rows.length >= 1);
  }, COLLECTIVES));

Deno.test("Ctrl-C before the first row says that nothing was kept", () =>
  inConfigFolder(async (folder, config) => {
    const line = { arrival_s: 7, prompt_tokens: 2, output_tokens: 1 };
    await Deno.writeTextFile(`${folder}/trace.jsonl`, JSON.stringify(line));
    const { status, stderr } = await interrupted(
      ["run", "--config", config, "--out", `${folder}/out`],
      ["the trace's first request comes at 7 s: arrivals are counted from there"],
    );
    assertEquals(status, 130, stderr);
    assertMatch(stderr, /interrupted, 0 of 1 cases kept/);
    assert(!stderr.includes("error"), stderr);
  }, { ...REST, schedules: { ...schedules, requests: { trace: "trace.jsonl" } } }));
