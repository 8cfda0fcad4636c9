/** A step of a recipe: the text of a new file, an edit of a file, or a command. */
export interface RecipeStep {
  readonly kind: "file" | "edit" | "command";
  /** The first path that the step names. */
  readonly path: string;
  readonly text: string;
}

/** The recipes of a document by their headings: numbered steps with a block of code each. */
export function recipesOf(document: string): ReadonlyMap<string, readonly RecipeStep[]> {
  const sections = document.split(/^## /m).slice(1);
  return new Map(sections.map((section) => {
    const [title = "", ...lines] = section.split("\n");
    const steps = lines.join("\n").split(/^\d+\. /m).slice(1);
    return [title, steps.flatMap(stepOf)];
  }));
}

function stepOf(step: string): readonly RecipeStep[] {
  const block = /^ {3}```(\w+)\n([^]*?)^ {3}```$/m.exec(step);
  if (!block) return [];
  const [, language = "", text = ""] = block;
  const kind = language === "diff" ? "edit" : language === "sh" ? "command" : "file";
  const path = /`([\w/.]+\.\w+)`/.exec(step)?.[1];
  if (path === undefined) throw new SyntaxError(`Cannot read a step: it names no file: ${step}`);
  return [{ kind, path, text: text.replaceAll(/^ {3}/gm, "") }];
}

/** Carries out a step below a folder. */
export async function carryOut({ kind, path, text }: RecipeStep, root: URL): Promise<void> {
  const file = new URL(path, root);
  if (kind === "file") await Deno.writeTextFile(file, text, { createNew: true });
  else if (kind === "edit") {
    await Deno.writeTextFile(file, edited(await Deno.readTextFile(file), { path, text }));
  } else {
    const [program = "", ...args] = text.trim().split(" ");
    const { success, stderr } = await new Deno.Command(program, { args, cwd: root }).output();
    if (!success) throw new Error(`Cannot run "${text}": ${new TextDecoder().decode(stderr)}`);
  }
}

/** A text after the hunks of an edit, each of which must fit at exactly one place. */
function edited(text: string, edit: { readonly path: string; readonly text: string }): string {
  return edit.text.trimEnd().split(/^@@\n/m).reduce((before, hunk) => {
    const lines = hunk.trimEnd().split("\n");
    const without = (mark: string) =>
      lines.filter((line) => !line.startsWith(mark)).map((line) => `${line.slice(1)}\n`).join("");
    const parts = `\n${before}`.split(`\n${without("+")}`);
    if (parts.length !== 2) {
      throw new Error(`Cannot edit "${edit.path}": ${parts.length - 1} places fit\n${hunk}`);
    }
    return parts.join(`\n${without("-")}`).slice(1);
  }, text);
}
