import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "../../records/files/exists.ts";
import { inFolder } from "../in_folder.ts";
import { CONFIG, inConfigFolder, shardbench } from "./shardbench.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FEW = {
  ...CONFIG,
  kernels: { ...CONFIG.kernels, ops: ["add"], tensor_parallel_sizes: [1], tokens: [1] },
  collectives: undefined,
  schedules: undefined,
};

/** Another tree, of which the task `run` is all there is. */
async function makeTree(folder: string, run: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ tasks: { run } }));
}

Deno.test("ab runs both trees in turns; one pair is too few, and a tree that cannot run ends it", () =>
  inConfigFolder(async (folder, config) => {
    await makeTree(`${folder}/other`, `deno task --quiet --config ${ROOT}deno.json run`);
    const args = ["ab", "--config", config, "--filter", "^add"];
    const made = await shardbench(
      [...args, "--baseline", `${folder}/other`, "--pairs", "1", "--out", `${folder}/ab`, "--json"],
      { commands: "deno" },
    );
    const { rows, incomplete } = JSON.parse(made.stdout);
    assertEquals([rows.length, rows[0].runs, rows[0].scatter_from], [1, [1, 1], "pairs"]);
    const isFew = rows[0].verdict === "too few";
    assertEquals(
      [made.status, incomplete.length],
      isFew ? [5, 1] : [rows[0].is_regression ? 4 : 0, 0],
    );
    assertEquals(made.stderr.match(/pair \d of \d: \w+/g), [
      "pair 1 of 1: baseline",
      "pair 1 of 1: candidate",
    ]);

    await makeTree(`${folder}/broken`, "exit 6 && echo");
    const broken = await shardbench(
      [...args, "--baseline", `${folder}/broken`, "--out", `${folder}/none`],
      { commands: "deno" },
    );
    assertEquals([broken.status, broken.stdout], [6, ""]);
    assertStringIncludes(broken.stderr, "the baseline's run ended with status 6");
    const nothing = await shardbench([...args, "--baseline", `${folder}/no`], {
      commands: "deno,git",
    });
    assertEquals(nothing.status, 2);
    assertMatch(nothing.stderr, /legal are a folder with deno.json and a commit/);
    const few = await shardbench([...args, "--baseline", "HEAD", "--pairs", "0"]);
    assertEquals(few.status, 2);
  }, FEW));

/** Opens a commit's tree in a repository of its own, says whether it is whole, and ends in some way. */
const SCRIPT = `
import { openTree } from "${ROOT}cli/other_tree.ts";
const [folder, way] = Deno.args;
const git = (...args) => {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"];
  const { success } = new Deno.Command("git", { args: ["-C", folder, ...identity, ...args] }).outputSync();
  if (!success) throw new Error(args.join(" "));
};
git("init");
Deno.writeTextFileSync(folder + "/deno.json", "{}");
git("add", ".");
git("commit", "-m", "one");
Deno.writeTextFileSync(folder + "/deno.json", "changed");
using tree = openTree("HEAD", folder);
console.log(tree.path, Deno.readTextFileSync(tree.path + "/deno.json"));
if (way === "exit") Deno.exit(7);
if (way === "signal") Deno.kill(Deno.pid, "SIGTERM");
if (way === "signal") await new Promise((done) => setTimeout(done, 60_000));
`;

for (const [way, status] of [["end", 0], ["exit", 7], ["signal", 130]] as const) {
  Deno.test(`a commit's tree is gone with the program, at its ${way}`, () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/repository`);
      await Deno.writeTextFile(`${folder}/script.ts`, SCRIPT);
      const { code, stdout, stderr } = await new Deno.Command("deno", {
        args: [
          ...["run", "--quiet", "--no-check", "--config", `${ROOT}deno.json`, "--allow-all"],
          ...[`${folder}/script.ts`, `${folder}/repository`, way],
        ],
      }).output();
      const [path, text] = new TextDecoder().decode(stdout).trim().split(" ");
      assertEquals([code, text], [status, "{}"], new TextDecoder().decode(stderr));
      assertEquals(exists(path!), false);
      assertEquals(exists(`${folder}/repository/.git/worktrees`), false);
    }));
}
