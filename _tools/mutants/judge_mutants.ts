import { listTree } from "../../tests/tree.ts";
import { ExecutedCache } from "./executed_cache.ts";
import { type Executed, executedLines } from "./executed_lines.ts";
import { type Mutant, mutated } from "./list_mutants.ts";
import { mutantLine, type Verdict } from "./mutation_report.ts";
import { FileGraph, isNear } from "./reaching_tests.ts";
import { soundMutants } from "./sound_mutants.ts";
import { copyFiles, WorkCopy } from "./work_copy.ts";

/** How mutants are judged, and who is told. */
export interface JudgeOptions {
  /** No further test file is run once those before take so long, together, without a mutant. */
  readonly testSeconds?: number | undefined;
  /** Mutants judged at a time, each in a copy of the tree. */
  readonly jobs?: number | undefined;
  /** A folder that remembers what each test file executes. */
  readonly cache?: URL | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is being done, a line at a time. */
  readonly onProgress?: (line: string) => void;
}

/** Tests are given 4 times as long as without a mutant, and 10 s: the machine may be busy. */
const TIMES_AS_LONG = 4;
const GRACE_MS = 10_000;
const MAX_TEST_MS = 1_200_000;
/** A test file of the folder that mirrors a mutant's is asked before others that take this many times less. */
const NEAR_FACTOR = 4;

/**
 * Runs the tests that execute each mutant's line, in copies of the tree, until one fails: cheap ones
 * first. Needs read and write permission, and permission to run deno; leaves nothing but the cache
 * behind, not even after an abort.
 *
 * @throws Error where a test fails without a mutant, the reason of the signal.
 */
export async function judgeMutants(
  mutants: readonly Mutant[],
  root: URL,
  { testSeconds = Infinity, jobs = 1, cache, signal, onProgress = () => {} }: JudgeOptions = {},
): Promise<readonly Verdict[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
  const folder = Deno.makeTempDirSync({ prefix: "shardbench-mutants-" });
  try {
    const files = await listTree(root);
    const snapshot = new URL(`file://${folder}/snapshot/`);
    copyFiles(files, root, snapshot); // the tree may be edited meanwhile
    const copies = Array.from(
      { length: jobs },
      (_, i) =>
        new WorkCopy(new URL(`file://${folder}/${i}/`), { from: snapshot, files, signal: either }),
    );
    const graph = await FileGraph.read(copies[0]!.root, { files, signal: either });
    const sound = await soundMutants(mutants, copies[0]!);
    const reached = [...sound].flatMap(({ file }) => graph.testsOf(file));
    const tests = [...new Set(reached)].sort();
    onProgress(
      `${mutants.length} mutants, ${sound.size} of sound types, ${tests.length} test files`,
    );
    const known = new ExecutedCache(cache, { root: snapshot, files });
    const executed = await share(tests, copies, async (test, copy) => {
      const before = known.get(test);
      if (before) return before;
      const now = await executedLines(test, { copy, limitMs: MAX_TEST_MS });
      onProgress(`${now.seconds.toFixed(1)} s ${test}`);
      known.set(now);
      return now;
    }, stop);
    let done = 0;
    return await share(mutants, copies, async (mutant, copy) => {
      const verdict: Verdict = sound.has(mutant)
        ? await judge(mutant, { copy, tests: inOrder(mutant, graph, executed), testSeconds })
        : { mutant, outcome: "invalid", tests: 0, unasked: 0, seconds: 0 };
      const by = verdict.by === undefined ? "" : `  by ${verdict.by}`;
      onProgress(
        `${++done}/${mutants.length} ${verdict.outcome} after ${verdict.seconds.toFixed(0)} s: ${
          mutantLine(mutant)
        }${by}`,
      );
      return verdict;
    }, stop);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The test files that execute a mutant, by what they cost; near ones find more. */
function inOrder(
  mutant: Mutant,
  graph: FileGraph,
  tests: readonly Executed[],
): readonly Executed[] {
  const price = ({ test, seconds }: Executed) =>
    seconds / (isNear(test, mutant.file) ? NEAR_FACTOR : 1);
  return tests.filter((test) => executes(test, mutant, graph))
    .toSorted((a, b) => price(a) - price(b));
}

/**
 * Whether a test file executes a mutant. Nobody counts lines of shaders and of the page: a test runs a
 * shader where it calls a function of a file that imports it, the page where it reaches it at all.
 */
function executes({ test, files }: Executed, mutant: Mutant, graph: FileGraph): boolean {
  const { file, line, was } = mutant;
  if (file.endsWith(".wgsl")) return graph.importersOf(file).some((one) => files[one]?.isCalled);
  if (isOfPage(mutant)) return graph.testsOf(file).includes(test);
  const counts = files[file];
  return counts !== undefined &&
    was.split("\n").some((_, i) => !counts.idle.includes(line + i));
}

/** Whether a mutant is of the page's own program, which is built before it runs in a browser. */
function isOfPage({ file }: Mutant): boolean {
  return file.startsWith("report/page/");
}

async function judge(mutant: Mutant, { copy, tests, testSeconds }: {
  readonly copy: WorkCopy;
  readonly tests: readonly Executed[];
  readonly testSeconds: number;
}): Promise<Verdict> {
  const begin = performance.now();
  copy.renew();
  const file = new URL(mutant.file, copy.root);
  Deno.writeTextFileSync(file, mutated(Deno.readTextFileSync(file), mutant));
  const verdict = (outcome: Verdict["outcome"], ran: number, by?: string): Verdict => ({
    mutant,
    outcome,
    tests: ran,
    unasked: tests.length - ran,
    ...(by === undefined ? {} : { by }),
    seconds: (performance.now() - begin) / 1000,
  });
  if (isOfPage(mutant)) {
    const { status } = await copy.deno(["task", "--quiet", "build-page"]);
    if (status !== 0) return verdict("invalid", 0);
  }
  let [ran, spent] = [0, 0];
  for (const { test, seconds } of tests) {
    if (spent >= testSeconds) break;
    const limitMs = GRACE_MS + TIMES_AS_LONG * 1000 * seconds;
    const { status, isTimedOut } = await copy.test(test, { limitMs });
    ran++;
    spent += seconds;
    if (status !== 0) return verdict(isTimedOut ? "timed out" : "killed", ran, test);
  }
  return verdict("survived", ran);
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
