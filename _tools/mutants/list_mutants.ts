import { listTree } from "../../tests/tree.ts";
import type { Edit } from "./edit.ts";
import { runDeno } from "./run_deno.ts";
import { wgslMutations } from "./wgsl_mutations.ts";

/** A mutation of a file of the product. */
export interface Mutant extends Edit {
  /** Path below the root of the tree. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The text that is replaced. */
  readonly was: string;
}

/** Not of the product: tests, benchmark files, stand-ins of packages, tools, what is built or measured. */
const ASIDE = /^(tests|offline|_tools|results|tuning)\/|_bench\.ts$|\.bundle\./;
const LINT_CONFIG = new URL("./mutations.json", import.meta.url).pathname;

interface LintReport {
  readonly diagnostics: readonly { readonly filename: string; readonly message: string }[];
  readonly errors: readonly unknown[];
}

/** A text with the mutation in it. */
export function mutated(text: string, { start, end, now }: Edit): string {
  return text.slice(0, start) + now + text.slice(end);
}

/**
 * All mutants of a tree's product files, in the order of paths and places. Needs read permission and
 * permission to run deno.
 */
export async function listMutants(root: URL, signal?: AbortSignal): Promise<readonly Mutant[]> {
  const files = (await listTree(root)).filter((path) =>
    /\.(ts|wgsl)$/.test(path) && !ASIDE.test(path)
  );
  const texts = new Map(
    files.map((file) => [file, Deno.readTextFileSync(new URL(file, root))] as const),
  );
  const edits = [
    ...await typescriptEdits(files.filter((file) => file.endsWith(".ts")), { root, signal }),
    ...files.filter((file) => file.endsWith(".wgsl"))
      .flatMap((file) => wgslMutations(texts.get(file)!).map((edit) => ({ file, ...edit }))),
  ];
  const mutants = edits.map((edit) => {
    const text = texts.get(edit.file)!;
    const line = text.slice(0, edit.start).split("\n").length;
    return { ...edit, line, was: text.slice(edit.start, edit.end) };
  });
  const place = ({ file, start, end, now }: Mutant) =>
    [file, `${start}`.padStart(9), `${end}`.padStart(9), now].join("\0");
  return mutants.toSorted((a, b) => place(a) < place(b) ? -1 : 1);
}

async function typescriptEdits(
  files: readonly string[],
  { root, signal }: { readonly root: URL; readonly signal: AbortSignal | undefined },
): Promise<readonly (Edit & { readonly file: string })[]> {
  if (files.length === 0) return [];
  const args = ["lint", "--quiet", "--json", "--config", LINT_CONFIG, ...files];
  const { stdout, stderr } = await runDeno(args, { cwd: root, signal });
  if (!stdout.startsWith("{")) throw new Error(`Cannot list mutants: ${stderr}`);
  const { diagnostics, errors }: LintReport = JSON.parse(stdout);
  if (errors.length > 0) throw new Error(`Cannot list mutants: ${JSON.stringify(errors)}`);
  return diagnostics.map(({ filename, message }) => ({
    file: filename.slice(root.href.length),
    ...JSON.parse(message) as Edit,
  }));
}
