import { listTree } from "../../tests/tree.ts";
import { type Mutant, mutated } from "./list_mutants.ts";
import { FileGraph, type Reach } from "./reaching_tests.ts";
import { soundMutants } from "./sound_mutants.ts";
import { copyFiles, WorkCopy } from "./work_copy.ts";

/** What became of a mutant, and by which test file. */
export interface Verdict {
  readonly mutant: Mutant;
  readonly outcome: "killed" | "timed out" | "survived" | "invalid";
  /** The test file that found it. */
  readonly by?: string;
  /** Test files that were run. */
  readonly tests: number;
  readonly seconds: number;
}

/** The verdicts, in the order of the mutants. */
export interface Judgement {
  readonly verdicts: readonly Verdict[];
  /** Test files that took too long to be asked: they might have found more. */
  readonly leftOut: readonly string[];
}

/** How mutants are judged, and who is told. */
export interface JudgeOptions {
  /** Test files that take longer without a mutant are left out. */
  readonly maxTestSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is being done, a line at a time. */
  readonly onProgress?: (line: string) => void;
}

/** Tests are given 3 times as long as without a mutant, and at least 30 s. */
const TIMES_AS_LONG = 3;
const LEAST_LIMIT_MS = 30_000;
const MAX_TEST_SECONDS = 1200;
const COPIES = Math.min(2, navigator.hardwareConcurrency);

/**
 * Runs the tests that reach each mutant, in copies of the tree, until one fails: cheap and near ones
 * first. Needs read and write permission, and permission to run deno; leaves nothing behind, not even
 * after an abort.
 *
 * @throws Error where a test fails without a mutant, the reason of the signal.
 */
export async function judgeMutants(
  mutants: readonly Mutant[],
  root: URL,
  { maxTestSeconds = MAX_TEST_SECONDS, signal, onProgress = () => {} }: JudgeOptions = {},
): Promise<Judgement> {
  const stop = new AbortController();
  const either = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
  const folder = Deno.makeTempDirSync({ prefix: "shardbench-mutants-" });
  try {
    const files = await listTree(root);
    const snapshot = new URL(`file://${folder}/snapshot/`);
    copyFiles(files, root, snapshot); // the tree may be edited meanwhile
    const copies = Array.from(
      { length: COPIES },
      (_, i) =>
        new WorkCopy(new URL(`file://${folder}/${i}/`), { from: snapshot, files, signal: either }),
    );
    const graph = await FileGraph.read(copies[0]!.root, { files, signal: either });
    const sound = await soundMutants(mutants, copies[0]!);
    const reaches = new Map(mutants.map(({ file }) => [file, graph.testsOf(file)] as const));
    const reached = [...sound].flatMap(({ file }) => [...reaches.get(file)!.keys()]);
    const tests = [...new Set(reached)].sort();
    onProgress(
      `${mutants.length} mutants, ${sound.size} of sound types, ${tests.length} test files`,
    );
    const leftOut: string[] = [];
    const seconds = new Map<string, number>();
    await share(tests, copies, async (test, copy) => {
      const ran = await copy.test(test, 1000 * maxTestSeconds);
      onProgress(`${ran.seconds.toFixed(1)} s ${test}${ran.isTimedOut ? ", left out" : ""}`);
      if (ran.isTimedOut) leftOut.push(test);
      else if (ran.status === 0) seconds.set(test, ran.seconds);
      else throw new Error(`Cannot judge mutants: ${test} fails without one\n${ran.stdout}`);
    }, stop);
    let done = 0;
    const verdicts = await share(mutants, copies, async (mutant, copy) => {
      const verdict: Verdict = sound.has(mutant)
        ? await judge(mutant, { copy, tests: inOrder(reaches.get(mutant.file)!, seconds), seconds })
        : { mutant, outcome: "invalid", tests: 0, seconds: 0 };
      onProgress(`${++done}/${mutants.length} ${verdict.outcome} ${mutant.file}:${mutant.line}`);
      return verdict;
    }, stop);
    return { verdicts, leftOut: leftOut.sort() };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Test files by what they cost and how far away they are: a near one finds more. */
function inOrder(reach: Reach, seconds: ReadonlyMap<string, number>): readonly string[] {
  const price = (test: string) => seconds.get(test)! * reach.get(test)!;
  return [...reach.keys()].filter((test) => seconds.has(test)).toSorted((a, b) =>
    price(a) - price(b)
  );
}

async function judge(mutant: Mutant, { copy, tests, seconds }: {
  readonly copy: WorkCopy;
  readonly tests: readonly string[];
  readonly seconds: ReadonlyMap<string, number>;
}): Promise<Verdict> {
  const begin = performance.now();
  copy.renew();
  const file = new URL(mutant.file, copy.root);
  Deno.writeTextFileSync(file, mutated(Deno.readTextFileSync(file), mutant));
  const verdict = (outcome: Verdict["outcome"], tests: number, by?: string): Verdict => ({
    mutant,
    outcome,
    tests,
    ...(by === undefined ? {} : { by }),
    seconds: (performance.now() - begin) / 1000,
  });
  if (mutant.file.startsWith("report/page/")) {
    const { status } = await copy.deno(["task", "--quiet", "build-page"]);
    if (status !== 0) return verdict("invalid", 0);
  }
  for (const [i, test] of tests.entries()) {
    const limitMs = Math.max(LEAST_LIMIT_MS, TIMES_AS_LONG * 1000 * seconds.get(test)!);
    const { status, isTimedOut } = await copy.test(test, limitMs);
    if (status !== 0) return verdict(isTimedOut ? "timed out" : "killed", i + 1, test);
  }
  return verdict("survived", tests.length);
}

/**
 * The results of work that the copies share, in the order of the items. After an error the rest is
 * stopped, and awaited, before it is thrown.
 */
async function share<T, R>(
  items: readonly T[],
  copies: readonly WorkCopy[],
  work: (item: T, copy: WorkCopy) => Promise<R>,
  stop: AbortController,
): Promise<readonly R[]> {
  const results: R[] = new Array(items.length);
  const waiting = [...items.entries()].values();
  const workers = copies.map(async (copy) => {
    try {
      for (const [i, item] of waiting) results[i] = await work(item, copy);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const failed = (await Promise.allSettled(workers)).find((one) => one.status === "rejected");
  if (failed) throw stop.signal.reason;
  return results;
}
