import { type Mutant, mutated } from "./list_mutants.ts";
import type { WorkCopy } from "./work_copy.ts";

/** Names that are no longer used: the mutant runs all the same. */
const UNUSED = ["TS6133", "TS6192", "TS6196", "TS6198"];
/** How many mutants one run of the type checker takes. */
const MUTANTS_A_RUN = 250;

/**
 * The mutants whose file is of sound types; shaders are taken as they are. Mutants stand beside the
 * file under names of their own, so that one run of `deno check` judges many.
 */
export async function soundMutants(
  mutants: readonly Mutant[],
  copy: WorkCopy,
): Promise<ReadonlySet<Mutant>> {
  const sound = new Set(mutants);
  const typed = mutants.filter(({ file }) => file.endsWith(".ts"));
  for (let i = 0; i < typed.length; i += MUTANTS_A_RUN) {
    for (const mutant of await unsound(typed.slice(i, i + MUTANTS_A_RUN), copy)) {
      sound.delete(mutant);
    }
  }
  return sound;
}

async function unsound(mutants: readonly Mutant[], copy: WorkCopy): Promise<readonly Mutant[]> {
  const written = new Map(mutants.map((mutant, i) => {
    const url = new URL(mutant.file.replace(/\.ts$/, `_mutant_${i}.ts`), copy.root);
    const text = Deno.readTextFileSync(new URL(mutant.file, copy.root));
    Deno.writeTextFileSync(url, mutated(text, mutant));
    return [url.href, mutant] as const;
  }));
  const paths = [...written.keys()].map((href) => new URL(href).pathname);
  const { status, stdout, stderr } = await copy.deno(["check", "--quiet", "--frozen", ...paths]);
  for (const path of paths) Deno.removeSync(path);
  const text = stdout + stderr;
  // An error ends with its place; further places that it names are further in.
  const errors = [...text.matchAll(/^(TS\d+) \[ERROR\]:[^]*?^ {4}at (\S+):\d+:\d+$/gm)];
  if (status !== 0 && errors.length === 0) throw new Error(`Cannot check mutants: ${text}`);
  return errors.filter(([, code]) => !UNUSED.includes(code!))
    .flatMap(([, , href]) => written.get(href!) ?? []);
}
