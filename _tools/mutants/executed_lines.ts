import type { WorkCopy } from "./work_copy.ts";

/** What a test file executes of one source file. */
export interface ExecutedFile {
  /** Lines, from 1, that are never executed. */
  readonly idle: readonly number[];
  /** Whether any of its functions was called: false where it was only loaded. */
  readonly isCalled: boolean;
}

/** What a test file executes, by paths below the root, and how long it takes. */
export interface Executed {
  readonly test: string;
  readonly seconds: number;
  readonly files: Readonly<Record<string, ExecutedFile>>;
}

/**
 * Runs a test file and says what it executes: in itself, in its Workers and in the processes that it
 * starts, by V8's counts and Deno's source maps.
 *
 * @throws Error where the test fails or takes too long.
 */
export async function executedLines(
  test: string,
  { copy, limitMs }: { readonly copy: WorkCopy; readonly limitMs: number },
): Promise<Executed> {
  copy.renew();
  const { status, seconds, stdout } = await copy.test(test, { limitMs, counts: true });
  if (status !== 0) {
    throw new Error(`Cannot judge mutants: ${test} fails without one\n${stdout}`);
  }
  return { test, seconds, files: readLcov(await copy.lcov(), copy.root.pathname) };
}

/** The files of a report in lcov's format that lie below a folder. */
export function readLcov(text: string, root: string): Readonly<Record<string, ExecutedFile>> {
  return Object.fromEntries(
    text.split("end_of_record").flatMap((record) => {
      const path = /^SF:(.*)$/m.exec(record)?.[1] ?? "";
      if (!path.startsWith(root)) return [];
      const idle = [...record.matchAll(/^DA:(\d+),0$/gm)].map(([, line]) => Number(line));
      return [[path.slice(root.length), { idle, isCalled: /^FNDA:[1-9]/m.test(record) }] as const];
    }),
  );
}
