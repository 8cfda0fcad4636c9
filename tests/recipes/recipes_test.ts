import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inConfigFolder, shardbench } from "../cli/shardbench.ts";
import { readRows } from "../../records/files/csv_rows.ts";
import { listTree } from "../tree.ts";
import { carryOut, recipesOf } from "./recipe.ts";

const ROOT = new URL("../../", import.meta.url);
const RECIPES = recipesOf(await Deno.readTextFile(new URL("CONTRIBUTING.md", ROOT)));

/** How what a recipe adds is asked for, and where it is seen. */
interface Seen {
  readonly suite: "kernels" | "collectives" | "schedules";
  /** Values of the configuration that ask for it. */
  readonly set: readonly string[];
  /** The path of the configuration whose legal values have it; variants have none. */
  readonly path?: string;
  readonly name: string;
  /** What the line of a case says. */
  readonly line: RegExp;
  /** Columns of its rows. */
  readonly row: Readonly<Record<string, string>>;
  /** A test of the tree that finds it. */
  readonly test: readonly [file: string, filter: string];
}

const SEEN: Readonly<Record<string, Seen>> = {
  "Add a kernel": {
    suite: "kernels",
    set: ['kernels.ops=["scale"]', 'kernels.variants="all"'],
    path: "kernels.ops",
    name: "scale",
    line: /^scale .*tokens=9/,
    row: { op: "scale", variant: "naive" },
    test: ["tests/kernels/kernels_test.ts", "scale/naive"],
  },
  "Add a variant of a kernel": {
    suite: "kernels",
    set: ['kernels.ops=["softmax"]', 'kernels.variants=["online"]'],
    name: "online",
    line: /^softmax .*tokens=9/,
    row: { op: "softmax", variant: "online" },
    test: ["tests/kernels/kernels_test.ts", "softmax/online"],
  },
  "Add an algorithm of a collective": {
    suite: "collectives",
    set: [
      'collectives.ops=["all_reduce"]',
      'collectives.algorithms=["central"]',
      'collectives.transports=["workers","same_device"]',
      "collectives.ranks=[2]",
      "collectives.sizes=64B",
    ],
    path: "collectives.algorithms",
    name: "central",
    line: /^all_reduce central /,
    row: { op: "all_reduce", algorithm: "central", steps: "2" },
    test: ["tests/collectives/programs_test.ts", "central all_reduce"],
  },
  "Add a collective": {
    suite: "collectives",
    set: [
      'collectives.ops=["reduce"]',
      'collectives.algorithms="all"',
      "collectives.ranks=[2]",
      "collectives.sizes=64B",
    ],
    path: "collectives.ops",
    name: "reduce",
    line: /^reduce one_shot /,
    row: { op: "reduce", steps: "1" },
    test: ["tests/collectives/programs_test.ts", "one_shot reduce "],
  },
  "Add a schedule": {
    suite: "schedules",
    set: ['schedules.schedules=["fill_drain"]', "schedules.max_concurrent_batches=[2]"],
    path: "schedules.schedules",
    name: "fill_drain",
    line: /^fill_drain .*depth=2/,
    row: { schedule: "fill_drain", token_mismatches: "0" },
    test: ["tests/schedules/fill_drain_test.ts", "fill_drain"],
  },
};

/** A copy of the tree in which each recipe is carried out once, when a test first asks for it. */
class Copy {
  static #shared: Promise<Copy> | undefined;
  readonly #done = new Map<string, Promise<void>>();

  private constructor(readonly root: URL) {}

  static async with(...recipes: readonly string[]): Promise<URL> {
    const copy = await (this.#shared ??= this.#make());
    for (const recipe of recipes) {
      if (!copy.#done.has(recipe)) copy.#done.set(recipe, copy.#carryOut(recipe));
      await copy.#done.get(recipe);
    }
    return copy.root;
  }

  static async #make(): Promise<Copy> {
    const root = new URL(`file://${await Deno.makeTempDir()}/`);
    for (const path of await listTree()) {
      await Deno.mkdir(new URL(".", new URL(path, root)), { recursive: true });
      await Deno.copyFile(new URL(path, ROOT), new URL(path, root));
    }
    return new Copy(root);
  }

  static async remove(): Promise<void> {
    const copy = await this.#shared;
    if (copy) await Deno.remove(copy.root, { recursive: true });
  }

  async #carryOut(recipe: string): Promise<void> {
    for (const step of RECIPES.get(recipe)!) await carryOut(step, this.root);
  }
}

/** What deno prints in the copy; an error that says it where it fails. */
async function deno(root: URL, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  if (!success) throw new Error(`Cannot run "deno ${args.join(" ")}": ${text}`);
  return text;
}

/** How many tests of the copy, of those whose names match, pass and fail. */
async function tested(root: URL, filter: string, files: readonly string[]): Promise<string> {
  const flags = ["--no-check", "--no-prompt", "--allow-read", "--allow-env", "--allow-sys"];
  const text = await deno(root, ["test", ...flags, "--filter", `/${filter}/`, ...files]);
  return /\d+ passed \| \d+ failed/.exec(text)?.[0] ?? text;
}

const setting = (assignments: readonly string[]) => assignments.flatMap((one) => ["--set", one]);

for (const [recipe, { suite, set, path, name, line, row, test }] of Object.entries(SEEN)) {
  Deno.test(`"${recipe}" is all it takes: it is named, listed, measured and tested`, () =>
    inConfigFolder(async (folder, config) => {
      const root = await Copy.with(recipe);
      const run = (...args: readonly string[]) =>
        shardbench(["run", "--config", config, "--only", suite, ...args], { root });
      if (path !== undefined) {
        const { stdout: help } = await run("--help");
        assertMatch(help.replaceAll(/\s+/g, " "), new RegExp(`${path}: [^.]*\\b${name}\\b`));
        const wrong = await run("--set", `${path}=["nothing"]`);
        assertEquals(wrong.status, 2);
        assertStringIncludes(wrong.stderr, `"${name}"`);
      }
      const cases = await run(...setting(set), "--dry-run");
      assertMatch(cases.stdout, new RegExp(line, "m"), cases.stderr);
      const { status, stderr } = await run(...setting(set), "--out", `${folder}/out`);
      assertEquals(status, 0, stderr);
      const { rows } = readRows(`${folder}/out/${suite}.csv`);
      assert(rows.length > 0);
      for (const found of rows) {
        const seen = Object.fromEntries(Object.keys(row).map((column) => [column, found[column]]));
        assertEquals({ ...seen, status: found["status"] }, { ...row, status: "ok" });
      }
      const [file, filter] = test;
      const files = [file, "tests/records/results_test.ts"];
      assertEquals(await tested(root, `${filter}|schema\\.json`, files), "2 passed | 0 failed");
    }));
}

Deno.test("CONTRIBUTING has a recipe for everything that plugs in, and each is carried out here", () => {
  const carriedOut = [...RECIPES].filter(([, steps]) => steps.length > 0).map(([title]) => title);
  assertEquals(carriedOut, Object.keys(SEEN));
});

Deno.test("the tree after all recipes is formatted, linted, of sound types and without cycles", async () => {
  const root = await Copy.with(...Object.keys(SEEN));
  const steps = [...RECIPES.values()].flat();
  const paths = [...new Set(steps.map((step) => step.path))].filter((p) => /\.(ts|json)$/.test(p));
  await deno(root, ["fmt", "--check", ...paths]);
  const sources = paths.filter((path) => path.endsWith(".ts"));
  await deno(root, ["lint", ...sources]);
  await deno(root, ["check", "cli/main.ts", ...sources]);
  assertEquals(await tested(root, "no cycle", ["tests/structure_test.ts"]), "1 passed | 0 failed");
});

Deno.test("a shader that does not compile is a failed row that names file, line and column; others are measured", () =>
  inConfigFolder(async (folder, config) => {
    const root = await Copy.with("Add a variant of a kernel");
    const file = new URL("kernels/softmax_online.wgsl", root);
    const text = await Deno.readTextFile(file);
    const lines = text.replace("id.x * STRIDE4;", "id.x * STRIDE;").split("\n");
    const line = lines.findIndex((one) => one.includes("STRIDE;"));
    const place = `${line + 1}:${lines[line]!.indexOf("STRIDE;") + 1}`;
    await Deno.writeTextFile(file, lines.join("\n"));
    // A class of shapes that was never tuned, so that the best variant must be found.
    const set = [
      'kernels.ops=["softmax","add"]',
      "kernels.tokens=[9]",
      "kernels.context=[100]",
      "kernels.tensor_parallel_sizes=[1]",
    ];
    try {
      for (const variants of ["all", "best"]) {
        const out = `${folder}/${variants}`;
        const asked = setting([...set, `kernels.variants="${variants}"`]);
        const args = ["run", "--config", config, "--only", "kernels", ...asked, "--out", out];
        const { status, stderr } = await shardbench(args, { root });
        assertEquals(status, 3, stderr);
        assertStringIncludes(stderr, `kernels/softmax_online.wgsl:${place}: `);
        const { rows } = readRows(`${out}/kernels.csv`);
        const failed = rows.filter((row) => row["status"] !== "ok");
        assertEquals(failed.map((r) => [r["op"], r["variant"], r["status"]]), [
          ["softmax", variants === "all" ? "online" : "best", "failed"],
        ]);
        assertStringIncludes(failed[0]!["reason"]!, `kernels/softmax_online.wgsl:${place}: `);
        assert(rows.some((row) => row["op"] === "add" && row["status"] === "ok"));
      }
    } finally {
      await Deno.writeTextFile(file, text);
    }
  }));

Deno.test.afterAll(() => Copy.remove());
