/** A hash of the program that ran: it tells a modified tree from its commit, and needs no git. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../files/short_hash.ts";

/** What is run or decides what is run: modules, shaders, binaries, and which versions are imported. */
const SOURCE = /\.(?:ts|wgsl|wasm)$|^deno\.(?:json|lock)$/;
/** Folders of no module that a run loads. */
const LEFT_OUT = ["_tools", "node_modules", "results", "tests", "tuning"];

/**
 * SHA-256 over path and content of every source of a tree, in the order of their paths: lines
 * `<SHA-256 of the file>  <path>`, as sha256sum prints them. Null where the tree is not on this disk, or may
 * not be read: nobody is asked.
 */
export function sourcesHash(root: URL): string | null {
  if (root.protocol !== "file:") return null;
  const folder = fileURLToPath(root);
  if (Deno.permissions.querySync({ name: "read", path: folder }).state !== "granted") return null;
  try {
    const lines = [...sourcesIn(folder, "")].sort()
      .map((path) => `${sha256(Deno.readFileSync(join(folder, path)))}  ${path}\n`);
    return sha256(lines.join(""));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null; // of a part of the tree
    throw error;
  }
}

function* sourcesIn(root: string, below: string): Generator<string> {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(join(root, below))) {
    const path = join(below, name);
    if (isFile && SOURCE.test(name)) yield path;
    const isLeftOut = name.startsWith(".") || (below === "" && LEFT_OUT.includes(name));
    if (isDirectory && !isLeftOut) yield* sourcesIn(root, path);
  }
}
