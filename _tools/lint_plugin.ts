/** Enforces which folder may import which, and the names that files may not have. */

/** What each folder may import; `types` only as types. Folders that are not listed may import all. */
export const ALLOWED: Readonly<
  Record<string, { readonly all: readonly string[]; readonly types?: readonly string[] }>
> = {
  device: { all: [] },
  collectives: { all: [] },
  parallel: { all: [] },
  schedules: { all: [] },
  statistics: { all: [] },
  kernels: { all: [], types: ["device"] },
  model: { all: ["kernels", "collectives", "parallel", "statistics", "records"] },
  runtime: { all: ["device", "kernels", "collectives", "parallel", "model", "schedules"] },
  planner: { all: ["kernels", "collectives", "parallel", "model", "schedules", "statistics"] },
  records: { all: ["statistics"] },
  config: { all: ["records", "collectives", "parallel", "model", "schedules"] },
  bench: {
    all: [
      "device",
      "kernels",
      "collectives",
      "parallel",
      "model",
      "schedules",
      "runtime",
      "planner",
      "config",
      "records",
      "statistics",
    ],
  },
  report: { all: ["records", "statistics"] },
};

/**
 * Inside a folder: what the files below a path may not import. Suites know each other only through
 * what stands beside them, measuring knows no suite, and records are read from files up.
 */
const REFUSED: readonly (readonly [from: string, to: readonly string[]])[] = [
  ["bench/measure", ["bench/suites"]],
  ["bench/suites/kernels", ["bench/suites/collectives", "bench/suites/schedules"]],
  ["bench/suites/collectives", ["bench/suites/kernels", "bench/suites/schedules"]],
  ["bench/suites/schedules", ["bench/suites/kernels", "bench/suites/collectives"]],
  ["model", ["records/rows", "records/run_folder"]],
  ["records/files", ["records/rows", "records/run_folder"]],
  ["records/rows", ["records/run_folder"]],
];

const NOBODY_IMPORTS = ["tests", "_tools"];
const FORBIDDEN_NAMES = ["utils", "common", "helpers", "types", "index"];

/** The path inside the project, from the first folder that the table or the tree knows. */
function inside(path: string, root: string): string[] {
  return path.slice(root.length).split("/").filter((part) => part !== "");
}

/** The complaint about an import, or nothing. */
export function importProblem(
  from: readonly string[],
  specifier: string,
  typeOnly: boolean,
): string | undefined {
  if (!/^\..*\.(ts|wgsl)$/.test(specifier)) return undefined;
  const to = inside(new URL(specifier, `file:///${from.join("/")}`).pathname, "");
  const [fromFolder = "", toFolder = ""] = [
    from.length > 1 ? from[0]! : "",
    to.length > 1 ? to[0]! : "",
  ];
  const sameFolder = from.slice(0, -1).join("/") === to.slice(0, -1).join("/");
  if (to.at(-1)?.startsWith("_") && !sameFolder && fromFolder !== "tests") {
    return `"${specifier}" is private to its folder`;
  }
  const below = (path: readonly string[], folder: string) =>
    path.join("/").startsWith(`${folder}/`);
  for (const [folder, others] of REFUSED.filter(([folder]) => below(from, folder))) {
    const other = others.find((name) => below(to, name));
    if (other) return `${folder}/ may not import ${other}/`;
  }
  if (fromFolder === toFolder) return undefined;
  if (NOBODY_IMPORTS.includes(toFolder) && !NOBODY_IMPORTS.includes(fromFolder)) {
    return `nobody imports from ${toFolder}/`;
  }
  const rule = ALLOWED[fromFolder];
  if (!rule || rule.all.includes(toFolder)) return undefined;
  if (rule.types?.includes(toFolder)) {
    return typeOnly ? undefined : `${fromFolder}/ may import only types of ${toFolder}/`;
  }
  const legal = [...rule.all, ...(rule.types ?? []).map((name) => `${name} (types only)`)];
  return `${fromFolder}/ may not import ${toFolder || "the top level"}; it may import ${
    legal.join(", ") || "nothing"
  }`;
}

const plugin: Deno.lint.Plugin = {
  name: "shardbench",
  rules: {
    "import-table": {
      create(context) {
        const root = new URL("..", import.meta.url).pathname;
        const from = inside(context.filename, context.filename.startsWith(root) ? root : "");
        const check = (
          node:
            | Deno.lint.ImportDeclaration
            | Deno.lint.ExportNamedDeclaration
            | Deno.lint.ExportAllDeclaration,
          typeOnly: boolean,
        ) => {
          const specifier = node.source?.value;
          if (typeof specifier !== "string") return;
          const message = importProblem(from, specifier, typeOnly);
          if (message) context.report({ node, message });
        };
        return {
          Program(node) {
            const name = from.at(-1)?.replace(/\.ts$/, "") ?? "";
            if (FORBIDDEN_NAMES.includes(name)) {
              context.report({
                node,
                message: `"${name}.ts" says nothing: name a file after its main export`,
              });
            }
          },
          ImportDeclaration(node) {
            const typeOnly = node.importKind === "type" ||
              (node.specifiers.length > 0 &&
                node.specifiers.every((s) =>
                  s.type === "ImportSpecifier" && s.importKind === "type"
                ));
            check(node, typeOnly);
          },
          ExportNamedDeclaration(node) {
            check(node, node.exportKind === "type");
          },
          ExportAllDeclaration(node) {
            check(node, node.exportKind === "type");
          },
          ExportDefaultDeclaration(node) {
            if (from[0] !== "_tools") {
              context.report({ node, message: "no default exports: name what a file exports" });
            }
          },
        };
      },
    },
  },
};

export default plugin;
