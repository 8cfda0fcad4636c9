import { type Ran, runDeno } from "./run_deno.ts";

/** Copies files, by their paths, from below one folder to below another. */
export function copyFiles(files: readonly string[], from: URL, to: URL): void {
  for (const folder of new Set(files.map((file) => new URL(".", new URL(file, to)).href))) {
    Deno.mkdirSync(new URL(folder), { recursive: true });
  }
  for (const file of files) Deno.copyFileSync(new URL(file, from), new URL(file, to));
}

/** A copy of a tree, with a folder for temporary files, where mutants are tested. */
export class WorkCopy {
  /** The copy's root. */
  readonly root: URL;
  readonly #folder: URL;
  readonly #from: URL;
  readonly #files: readonly string[];
  readonly #signal: AbortSignal | undefined;
  readonly #testArgs: readonly string[];

  /** A copy of the files of a tree, below a folder of its own. Needs read and write permission. */
  constructor(folder: URL, { from, files, signal }: {
    readonly from: URL;
    readonly files: readonly string[];
    readonly signal?: AbortSignal | undefined;
  }) {
    this.root = new URL("tree/", folder);
    this.#folder = folder;
    this.#from = from;
    this.#files = files;
    this.#signal = signal;
    const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", from)));
    const [, ...words]: string[] = tasks.test.command.split(" ");
    this.#testArgs = [...words.slice(0, -1), "--no-check", "--fail-fast"];
    Deno.mkdirSync(folder);
    this.renew();
  }

  /** Makes the copy what the tree is, whatever tests left in it. */
  renew(): void {
    Deno.removeSync(this.#folder, { recursive: true });
    Deno.mkdirSync(new URL("tmp/", this.#folder), { recursive: true });
    copyFiles(this.#files, this.#from, this.root);
  }

  /** Runs deno in the copy, with temporary files inside its folder. */
  deno(args: readonly string[], limitMs?: number): Promise<Ran> {
    return runDeno(args, {
      cwd: this.root,
      env: { TMPDIR: new URL("tmp", this.#folder).pathname },
      limitMs,
      signal: this.#signal,
    });
  }

  /**
   * Runs a test file as the task `test` would, up to its first failure; counts what it executes where
   * asked.
   */
  test(
    file: string,
    { limitMs, counts = false }: { readonly limitMs: number; readonly counts?: boolean },
  ): Promise<Ran> {
    const more = counts ? [`--coverage=${this.#counts}`, "--coverage-raw-data-only"] : [];
    return this.deno([...this.#testArgs, ...more, file], limitMs);
  }

  /** What the tests that counted since the last renewal executed, in lcov's format. */
  async lcov(): Promise<string> {
    const { status, stdout, stderr } = await this.deno([
      "coverage",
      "--quiet",
      "--lcov",
      this.#counts,
    ]);
    if (status !== 0) throw new Error(`Cannot read what tests executed: ${stderr}`);
    return stdout;
  }

  get #counts(): string {
    return new URL("counts", this.#folder).pathname;
  }
}
