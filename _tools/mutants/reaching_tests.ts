import { runDeno } from "./run_deno.ts";

/** Files that are built from others, and what from: they are built again before tests. */
const BUILT: Readonly<Record<string, string>> = {
  "report/page.bundle.js.txt": "report/page/main.ts",
};

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
  }[];
}

/** Which files each file of a tree imports or names, at run time. */
export class FileGraph {
  readonly #importers: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(edges: readonly (readonly [from: string, to: string])[]) {
    const importers = new Map<string, Set<string>>();
    for (const [from, to] of edges) {
      importers.set(to, (importers.get(to) ?? new Set()).add(from));
    }
    this.#importers = importers;
  }

  /**
   * The graph of a tree's files by `deno info`, with what it cannot see: a path in a text starts a
   * Worker or a process. Writes a file that imports all others into the tree, which must be a copy.
   */
  static async read(
    root: URL,
    { files, signal }: { readonly files: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<FileGraph> {
    const sources = files.filter((file) =>
      file.endsWith(".ts") && !/^(offline|_tools)\//.test(file)
    );
    const all = new URL("all_files.ts", root);
    Deno.writeTextFileSync(all, sources.map((file) => `import "./${file}";\n`).join(""));
    const { status, stdout, stderr } = await runDeno([
      "info",
      "--quiet",
      "--json",
      all.pathname,
    ], { cwd: root, signal });
    Deno.removeSync(all);
    if (status !== 0) throw new Error(`Cannot read the module graph: ${stderr}`);
    const { modules }: ModuleGraph = JSON.parse(stdout);
    const below = (url = "") => url.startsWith(root.href) ? url.slice(root.href.length) : "";
    const imported = modules.flatMap(({ specifier, dependencies = [] }) =>
      dependencies.map(({ code }) => [below(specifier), below(code?.specifier)] as const)
    );
    const isThere = new Set(files);
    const named = sources.flatMap((file) =>
      namedFiles(file, Deno.readTextFileSync(new URL(file, root)))
        .filter((to) => isThere.has(to)).map((to) => [file, to] as const)
    );
    return new FileGraph(
      [...imported, ...named, ...Object.entries(BUILT)]
        .filter(([from, to]) => from !== "" && to !== "" && from !== "all_files.ts"),
    );
  }

  /** The files that import or name a file. */
  importersOf(file: string): readonly string[] {
    return [...this.#importers.get(file) ?? []];
  }

  /** The test files that reach a file. */
  testsOf(file: string): readonly string[] {
    const found = new Set([file]);
    for (const at of found) { // grows meanwhile
      for (const from of this.importersOf(at)) found.add(from);
    }
    return [...found].filter((path) => path.endsWith("_test.ts"));
  }
}

/** Whether a test file lies in the folder that mirrors a file's. */
export function isNear(test: string, file: string): boolean {
  const folder = /^tests\/(.*\/)/.exec(test)?.[1] ?? "/";
  return file.startsWith(folder);
}

/** Paths in a file's texts, but for those of its imports, from the file or from the root. */
function namedFiles(file: string, text: string): readonly string[] {
  const paths = [...text.matchAll(/(?<!\b(?:from|import) )(["'`])([\w./-]+\.ts)\1/g)];
  return paths.map(([, , path]) => {
    const base = path!.startsWith(".") ? `file:///${file}` : "file:///";
    return new URL(path!, base).pathname.slice(1);
  });
}
