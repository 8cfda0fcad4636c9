import { shortHash } from "../../records/files/short_hash.ts";
import { writeWhole } from "../../records/files/write_whole.ts";
import type { Executed } from "./executed_lines.ts";

/**
 * Remembers in a folder what test files execute, for as long as neither they nor any file of the tree
 * that is not a test file changes.
 */
export class ExecutedCache {
  readonly #folder: URL | undefined;
  readonly #root: URL;
  readonly #tree: string;

  /** The cache of a tree's files; without a folder nothing is remembered. */
  constructor(folder: URL | undefined, { root, files }: {
    readonly root: URL;
    readonly files: readonly string[];
  }) {
    this.#folder = folder;
    this.#root = root;
    const others = files.filter((file) => !/_test\.ts$|\.md$/.test(file));
    this.#tree = shortHash(others.map((file) => `${file}\n${this.#read(file)}`).join("\n"));
  }

  /** What is known of a test file. */
  get(test: string): Executed | undefined {
    try {
      const path = this.#path(test);
      return path === undefined ? undefined : JSON.parse(Deno.readTextFileSync(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Remembers what a test file executes. */
  set(executed: Executed): void {
    const path = this.#path(executed.test);
    if (path === undefined) return;
    Deno.mkdirSync(this.#folder!, { recursive: true });
    writeWhole(path, `${JSON.stringify(executed)}\n`);
  }

  #path(test: string): string | undefined {
    if (this.#folder === undefined) return undefined;
    const key = shortHash(`${this.#tree}\n${test}\n${this.#read(test)}`);
    return new URL(`${key}.json`, this.#folder).pathname;
  }

  #read(file: string): string {
    return Deno.readTextFileSync(new URL(file, this.#root));
  }
}
