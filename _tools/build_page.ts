/** Builds the dashboard's script and style, which are committed, from report/page/. */

import { build, initialize, type Plugin, stop } from "esbuild-wasm/esm/browser.js";

const PAGE = new URL("../report/page/", import.meta.url);

/** The script and the style of the page, always the same for the same sources. */
export interface PageBundle {
  readonly js: string;
  readonly css: string;
}

/** The compiler has no file system of its own: it asks here. */
const files: Plugin = {
  name: "files",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
      if (kind === "entry-point") return { path: new URL(path, PAGE).href, namespace: "url" };
      if (path.startsWith(".")) return { path: new URL(path, importer).href, namespace: "url" };
      return { path: packageFile(path), namespace: "url" };
    });
    onLoad({ filter: /.*/, namespace: "url" }, ({ path }) => ({
      contents: Deno.readTextFileSync(new URL(path)),
      loader: path.endsWith(".css") ? "css" : path.endsWith(".ts") ? "ts" : "js",
    }));
  },
};

/** The file of a package for browsers; deno.lock pins its version. */
function packageFile(specifier: string): string {
  const found = import.meta.resolve(specifier);
  return specifier === "uplot" ? new URL("uPlot.esm.js", found).href : found;
}

/** Compiles the page in this process: no binary of the machine is run. */
export async function buildPage(): Promise<PageBundle> {
  const wasm = Deno.readFileSync(new URL(import.meta.resolve("esbuild-wasm/esbuild.wasm")));
  await initialize({ wasmModule: await WebAssembly.compile(wasm), worker: false });
  try {
    const { outputFiles } = await build({
      entryPoints: ["main.ts", "page.css"],
      outdir: "out",
      bundle: true,
      write: false,
      minify: true,
      charset: "utf8",
      format: "iife",
      target: "es2022",
      legalComments: "inline",
      plugins: [files],
    });
    const text = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!.text;
    return { js: text(".js"), css: text(".css") };
  } finally {
    await stop();
  }
}

if (import.meta.main) {
  const { js, css } = await buildPage();
  Deno.writeTextFileSync(new URL("../report/page.bundle.js.txt", import.meta.url), js);
  Deno.writeTextFileSync(new URL("../report/page.bundle.css.txt", import.meta.url), css);
}
