import { assert, assertEquals } from "@std/assert";
import { CONFIG, inConfigFolder } from "./cli/shardbench.ts";

/** What a user's own script does, outside the project; it prints what the test looks at. */
const SCRIPT = `
import {
  COLLECTIVES, compareRuns, loadConfig, loadRun, measureRun, openLayout, runLockstep, traffic,
} from "@shardbench/shardbench";

const config = await loadConfig("config.json", { sizes: { tensorParallelSize: 2 } });
const told: string[] = [];
const selection = { suites: ["kernels"] as const, filter: /^(embedding|ffn) / };
const onProgress = ({ suite, done, total }: { suite: string; done: number; total: number }) =>
  told.push(\`\${suite} \${done}/\${total}\`);
const { folder, kernels } = await measureRun({ config, selection, folder: "a", onProgress });
await measureRun({ config, selection, folder: "b" });
const comparison = compareRuns(loadRun("a"), loadRun("b"), 5);

const abort = new AbortController();
const cut = await measureRun({
  config, selection, folder: "c", signal: abort.signal, onProgress: () => abort.abort(),
});

const memories = [1, 2].map((value) => ({
  input: Float32Array.of(value, value), output: new Float32Array(2), scratch: new Float32Array(2),
}));
const shape = { ranks: 2, count: 2, inPlace: false };
runLockstep(COLLECTIVES.all_reduce.algorithms.ring!.program, shape, memories);

await using layout = await openLayout(config, { maxModelLen: 8 });
const tokens = [];
for (let turn = 0; turn < 2; turn++) {
  const generation = layout.generate({ promptTokenIds: [1, 2, 3], maxTokens: 3 });
  tokens.push(await Array.fromAsync(generation.tokens()));
  if ((await generation.speed()).decode_tokens !== 2) throw new Error("not the steps of this one");
}
console.log(JSON.stringify({
  folder, told, tokens,
  rows: kernels.map(({ op, status }) => [op, status]),
  compared: comparison.rows.length,
  cut: [cut.kernels.length, loadRun("c").manifest!["interrupted"]],
  sums: memories.map(({ output }) => [...output]),
  sent: traffic(COLLECTIVES.all_reduce.algorithms.ring!.program, shape).sentWords,
}));
`;

Deno.test("a script outside the project measures, aborts, compares, steps through a collective and generates", () =>
  inConfigFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/script.ts`, SCRIPT);
    const config = new URL("../deno.json", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command("deno", {
      args: [
        ...["run", "--quiet", "--no-prompt", "--check", "--config", config],
        ...["--allow-read", "--allow-write", "--allow-sys", "--allow-env", "script.ts"],
      ],
      cwd: folder,
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const seen = JSON.parse(new TextDecoder().decode(stdout).trim());
    const rows = [["embedding", "ok"], ["embedding", "ok"], ["ffn", "ok"], ["ffn", "ok"]];
    assertEquals(seen.rows.toSorted(), rows);
    assertEquals(seen.told, [1, 2, 3, 4].map((done) => `kernels ${done}/4`));
    assertEquals([seen.folder, seen.compared], ["a", 4]);
    assert(seen.cut[0] >= 1 && seen.cut[1] === true, `${seen.cut}`);
    assertEquals([seen.sums, seen.sent], [[[3, 3], [3, 3]], [2, 2]]);
    assertEquals(seen.tokens[0].length, 3);
    assertEquals(seen.tokens[1], seen.tokens[0], "a second generation begins anew");
  }, {
    ...CONFIG,
    // Long enough that cases are done one after another.
    measure: { ...CONFIG.measure, min_time_ms: 5 },
  }));
