import { assertEquals, assertRejects } from "@std/assert";
import { judgeMutants } from "../../_tools/mutants/judge_mutants.ts";
import { listMutants, type Mutant } from "../../_tools/mutants/list_mutants.ts";
import { mutationScore, scoreText } from "../../_tools/mutants/mutation_report.ts";
import { runDeno } from "../../_tools/mutants/run_deno.ts";
import { inFolder } from "../in_folder.ts";

const CONFIG = { tasks: { test: { command: "deno test --quiet --no-prompt --allow-read tests" } } };

/** Calls back with a tree of these files. */
function inTree(
  files: Readonly<Record<string, string>>,
  run: (root: URL) => Promise<void>,
): Promise<void> {
  return inFolder(async (folder) => {
    const root = new URL(`file://${folder}/`);
    for (const [path, text] of Object.entries({ "deno.json": JSON.stringify(CONFIG), ...files })) {
      await Deno.mkdir(new URL(".", new URL(path, root)), { recursive: true });
      await Deno.writeTextFile(new URL(path, root), text);
    }
    await run(root);
  });
}

const changes = (mutants: readonly Mutant[]) =>
  mutants.map(({ kind, was, now }) => `${kind}: ${was} -> ${now}`);

/** What a text is mutated to, in the order of the text. */
const MUTATIONS: readonly (readonly [text: string, mutations: readonly string[]])[] = [
  ["a < b;", ["comparison: < -> <="]],
  ["(a) !== /* of b */ b;", []],
  ["a || b;", ["logical: || -> &&"]],
  ["a % b;", ["swapped operands: a % b -> ((b) % (a))"]],
  ["const c = Math.abs(a - b);", ["arithmetic: - -> +"]],
  ["(a + b) * c;", ["arithmetic: + -> -", "arithmetic: * -> /"]],
  ["`${a}` + b;", []],
  ['"ü→" === b;', ["comparison: === -> !=="]],
  ["a += b;", ["dropped statement: a += b; -> ;", "arithmetic: += -> -="]],
  ["f(7);", [
    "dropped statement: f(7); -> ;",
    "constant: 7 -> 14",
    "off by one: 7 -> 6",
    "off by one: 7 -> 8",
  ]],
  ["const c = 0.5;", ["constant: 0.5 -> 0.05", "constant: 0.5 -> 1"]],
  ["const c = { 3: true };", ["constant: true -> false"]],
  ["const c: 3 = d;", []],
  ["if (a) throw new Error(`${b + 1}`);", ["negated condition: a -> !(a)"]],
  ["const c = a === b ? d : e;", ["comparison: === -> !=="]],
  ["const c = await d;", ["dropped await: await -> "]],
  ["const c = Math.max(a, b);", ["min/max: Math.max -> Math.min"]],
];

Deno.test("TypeScript is mutated in what it computes, not in types, texts and what is thrown", () =>
  inTree(
    Object.fromEntries(MUTATIONS.map(([text], i) => [`${i}.ts`, text])),
    async (root) => {
      const found = await listMutants(root);
      for (const [i, [text, expected]] of MUTATIONS.entries()) {
        assertEquals(changes(found.filter(({ file }) => file === `${i}.ts`)), expected, text);
      }
    },
  ));

Deno.test("a shader is mutated in operators and constants, not in attributes, types and comments", () =>
  inTree({
    "a.wgsl": `@group(0) @binding(1) var<storage, read> x: array<vec4<f32>, 4>; // 1 < 2
fn f(i: u32) -> f32 { if (i < 3u) { return -0.5 * x[i].y; } return max(1e-3, 2f); }
`,
  }, async (root) => {
    assertEquals(changes(await listMutants(root)), [
      "comparison: < -> <=",
      "off by one: 3u -> 2u",
      "off by one: 3u -> 4u",
      "constant: 3u -> 6u",
      "constant: 0.5 -> 0.05",
      "constant: 0.5 -> 1.0",
      "arithmetic: * -> /",
      "min/max: max -> min",
      "constant: 1e-3 -> 0.0001",
      "constant: 1e-3 -> 0.002",
      "constant: 2f -> 4f",
    ]);
  }));

const TREE = {
  "sums/sum.ts": `export function sum(a: number, b: number): number {
  return a + b;
}
export function larger(a: number, b: number): number {
  return a > b ? a : b;
}
export async function later(a: number): Promise<number> {
  const value: number = await Promise.resolve(a);
  return value;
}
`,
  "sums/worker.ts": `import { sum } from "./sum.ts";
const owner = self as unknown as Worker;
owner.onmessage = () => owner.postMessage(sum(3, 0));
`,
  "sums/alone.ts": "export const off: boolean = false;\n",
  "tests/sums/sum_test.ts": `import { larger, sum } from "../../sums/sum.ts";
Deno.test("sums", () => {
  if (sum(2, 1) !== 3 || larger(2, 1) !== 2) throw new Error("wrong");
});
`,
};

Deno.test("a mutant that a test finds is told from a survivor, an unreached one and one of wrong types", () =>
  inTree(TREE, async (root) => {
    const all = await listMutants(root);
    const chosen = all.filter(({ file }) => file !== "sums/worker.ts");
    const verdicts = await judgeMutants(chosen, root);
    const found = verdicts.map(({ mutant, outcome, tests }) =>
      `${mutant.kind} ${mutant.was}: ${outcome} (${tests})`
    );
    assertEquals(found, [
      "constant false: survived (0)",
      "arithmetic +: killed (1)",
      "negated condition a > b: killed (1)",
      "comparison >: survived (1)",
      "dropped await await: invalid (0)",
    ]);
    const { score, ...counts } = mutationScore(verdicts);
    assertEquals(counts, { killed: 2, timedOut: 0, survived: 2, invalid: 1 });
    assertEquals(score!.share, 0.5);
    assertEquals(scoreText(verdicts).split("\n").slice(2), [
      "survivors:",
      "  sums/alone.ts:1  constant: false -> true  (no test executes it)",
      "  sums/sum.ts:5  comparison: > -> >=",
    ]);
    assertEquals(await Deno.readTextFile(new URL("sums/sum.ts", root)), TREE["sums/sum.ts"]);
  }));

Deno.test("a Worker's file is judged by the test that starts it", () =>
  inTree({
    ...TREE,
    "tests/sums/sum_test.ts": `Deno.test("sums in a Worker", async () => {
  const url = new URL("../../sums/worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const data = await new Promise((resolve) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.postMessage(0);
  });
  worker.terminate();
  if (data !== 3) throw new Error("wrong");
});
`,
  }, async (root) => {
    const all = await listMutants(root);
    const three = all.filter(({ was, now }) => was === "3" && now === "4");
    const verdicts = await judgeMutants(three, root);
    assertEquals(verdicts.map(({ outcome, by }) => [outcome, by]), [[
      "killed",
      "tests/sums/sum_test.ts",
    ]]);
  }));

Deno.test("only tests that execute its line are run on a mutant, cheap ones first, until time is up", () =>
  inTree({
    ...TREE,
    "tests/sums/sum_test.ts": `import { sum } from "../../sums/sum.ts";
Deno.test("adds", () => {
  if (sum(2, 1) !== 3) throw new Error("wrong");
});
`,
    "tests/larger_test.ts": `import { larger } from "../sums/sum.ts";
Deno.test("compares, slowly", () => {
  const begin = Date.now();
  while (Date.now() - begin < 1000);
  if (larger(2, 1) !== 2) throw new Error("wrong");
});
`,
    "tests/sums/same_test.ts": `import { larger } from "../../sums/sum.ts";
Deno.test("compares nothing", () => {
  if (larger(1, 1) !== 1) throw new Error("wrong");
});
`,
  }, async (root) => {
    const all = await listMutants(root);
    const chosen = all.filter(({ kind }) => kind === "arithmetic" || kind === "negated condition");
    const cache = new URL("results/mutants/", root);
    const judged = async (options: { testSeconds?: number }) =>
      (await judgeMutants(chosen, root, { ...options, cache }))
        .map(({ outcome, by, tests, unasked }) => [outcome, by, tests, unasked]);
    assertEquals(await judged({}), [
      ["killed", "tests/sums/sum_test.ts", 1, 0],
      ["killed", "tests/larger_test.ts", 2, 0],
    ]);
    const known = [...Deno.readDirSync(cache)].length;
    assertEquals(await judged({ testSeconds: 0.001 }), [
      ["killed", "tests/sums/sum_test.ts", 1, 0],
      ["survived", undefined, 1, 1],
    ]);
    assertEquals([known, [...Deno.readDirSync(cache)].length], [3, 3]);
  }));

Deno.test("nothing is judged by a test that fails without a mutant, nor after an abort", () =>
  inTree({
    ...TREE,
    "tests/sums/sum_test.ts":
      'import "../../sums/sum.ts";\nDeno.test("fails", () => { throw 1; });\n',
  }, async (root) => {
    const mutants = await listMutants(root);
    await assertRejects(() => judgeMutants(mutants, root), Error, "sum_test.ts fails without one");
    const signal = AbortSignal.abort(new Error("interrupted"));
    await assertRejects(() => judgeMutants(mutants, root, { signal }), Error, "interrupted");
  }));

Deno.test("a limit ends a process and what it started", async () => {
  // The output ends when nobody is left who could write to it: the last one after 20 s.
  const last =
    'new Deno.Command("deno", { args: ["eval", "setTimeout(() => {}, 20_000)"] }).spawn()';
  const cwd = new URL(".", import.meta.url);
  const { isTimedOut, seconds } = await runDeno(["eval", last], { cwd, limitMs: 2000 });
  assertEquals([isTimedOut, seconds < 15], [true, true]);
});
