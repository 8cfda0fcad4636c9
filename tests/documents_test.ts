import { assertEquals } from "@std/assert";
import { recipesOf } from "./recipes/recipe.ts";
import { ALLOWED } from "../_tools/lint_plugin.ts";
import { listTree } from "./tree.ts";

const ROOT = new URL("../", import.meta.url);
const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
/** What runs and users make: it is named, and not in the tree. */
const MADE =
  /^(results\/<|results\/quick|results\/decoder|tuning\/|timeline\.json|report\.html|manifest\.json|samples\.jsonl|(kernels|collectives|schedules|ranks|links|plan|pipeline_.*)\.csv$|page\.html|config\.json|path\/to|FILE)/;

/** Words in backticks that are paths: with a folder, or the name of a file. */
function pathsOf(text: string): readonly string[] {
  const words = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!)
    .flatMap((code) => code.split(/\s+/))
    .map((word) => word.replace(/^[("]+|[)",:;.]+$/g, ""));
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1]!);
  return [...words, ...links].filter((word) =>
    /^[A-Za-z_.][\w./*<>-]*$/.test(word) && !/^(https?:|\.\/setup)/.test(word) &&
    (/^[a-z_]+\/[\w./*<>-]*$/.test(word) || /\.(ts|wgsl|json|md|wat|wasm|css|csv|txt)$/.test(word))
  );
}

Deno.test("every path that the documents name exists", async () => {
  const recipes = recipesOf(await Deno.readTextFile(new URL("CONTRIBUTING.md", ROOT)));
  const tree = [...await listTree(), ...[...recipes.values()].flat().map(({ path }) => path)];
  const all = new Set([...tree, ...tree.flatMap(foldersOf)]);
  const missing: string[] = [];
  for (const name of DOCUMENTS) {
    const text = await Deno.readTextFile(new URL(name, ROOT));
    for (const path of pathsOf(text)) {
      if (MADE.test(path)) continue;
      // `x_<variant>.wgsl` and `*_bench.ts` stand for several files.
      const pattern = path.replace(/\/$/, "").replaceAll(".", "\\.")
        .replaceAll(/<\w+>|\*/g, "[^/]+");
      const isThere = [...all].some((file) => new RegExp(`(^|/)${pattern}$`).test(file));
      if (!isThere) missing.push(`${name}: ${path}`);
    }
  }
  assertEquals(missing, []);
});

Deno.test("ARCHITECTURE says of every folder what the linter lets it import", async () => {
  const text = await Deno.readTextFile(new URL("ARCHITECTURE.md", ROOT));
  const said = [...text.matchAll(/^ {4}([a-z]+) +([a-z]+(?:,? [a-z]+)*)$/gm)]
    .map(([, folder, names]) => `${folder} ${names}`);
  const enforced = Object.entries(ALLOWED).map(([folder, { all, types = [] }]) =>
    `${folder} ${[...all, ...types.map((name) => `types of ${name}`)].join(", ") || "nothing"}`
  );
  assertEquals(said, enforced);
});

function foldersOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join("/"));
}
