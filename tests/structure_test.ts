import { assert, assertEquals } from "@std/assert";
import { listTree } from "./tree.ts";

const ROOT = new URL("../", import.meta.url);
/** Not of the product: tests, stand-ins of packages, tools, and what is built. */
const ASIDE = /^(tests|offline|_tools|results)\/|\.bundle\./;

async function sources(): Promise<ReadonlyMap<string, string>> {
  const paths = (await listTree()).filter((path) => /\.(ts|wgsl|wat|css)$/.test(path));
  const texts = paths.filter((path) => !ASIDE.test(path))
    .map(async (path) => [path, await Deno.readTextFile(new URL(path, ROOT))] as const);
  return new Map(await Promise.all(texts));
}

/** Files that a file imports, as types too. */
function importsOf(path: string, text: string): readonly string[] {
  const specifiers = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"/gm)];
  return specifiers.map(([, to]) => new URL(to!, `file:///${path}`).pathname.slice(1));
}

Deno.test("no cycle of files", async () => {
  const graph = new Map(
    [...await sources()].map(([path, text]) => [path, importsOf(path, text)] as const),
  );
  assert([...graph.values()].flat().length > 500, "imports were not read");
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, above: readonly string[]) => {
    if (above.includes(path)) cycles.push([...above.slice(above.indexOf(path)), path].join(" -> "));
    if (done.has(path) || above.includes(path)) return;
    for (const to of graph.get(path) ?? []) visit(to, [...above, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  assertEquals(cycles, []);
});

Deno.test("no room has much above a fifth of the lines", async () => {
  const lines = new Map<string, number>();
  let total = 0;
  for (const [path, text] of await sources()) {
    const room = path.split("/")[0]!;
    const count = text.split("\n").length;
    lines.set(room, (lines.get(room) ?? 0) + count);
    total += count;
  }
  const large = [...lines].filter(([, count]) => count / total > 0.23);
  assertEquals(large, []);
});

Deno.test("no folder of tests is a member of the workspace: `deno test tests` would run it alone", async () => {
  const { workspace } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assertEquals(workspace, ["./report/page"]);
});
