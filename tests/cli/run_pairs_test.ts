import { assertEquals } from "@std/assert";
import { type StartedRun, THIS_TREE } from "../../cli/repeat_runs.ts";
import { runPairs } from "../../cli/run_pairs.ts";

/** Three pairs, of which each run in turn ends with one of these statuses, the last one again and again. */
async function paired(...statuses: readonly number[]) {
  const started: StartedRun[] = [];
  const lines: unknown[] = [];
  const { error } = console;
  console.error = (text: unknown) => void lines.push(text);
  try {
    const ran = await runPairs({
      folder: "/ab",
      pairs: 3,
      baseline: "/other",
      args: ["--config", "c.json"],
      signal: new AbortController().signal,
      start: (run) => {
        started.push(run);
        return Promise.resolve(statuses[started.length - 1] ?? statuses.at(-1)!);
      },
    });
    return { ran, started, lines };
  } finally {
    console.error = error;
  }
}

Deno.test("two trees run A B B A A B, each into the folder of its pair and side", async () => {
  const { ran, started, lines } = await paired(0);
  const [A, B] = [["/other", "baseline"], [THIS_TREE, "candidate"]] as const;
  const turns = [[1, A], [1, B], [2, B], [2, A], [3, A], [3, B]] as const;
  assertEquals(
    started.map(({ tree, args }) => [tree, ...args]),
    turns.map(([pair, [tree, side]]) => [
      ...[tree, "--config", "c.json"],
      ...["--out", `/ab/pair_${pair}/${side}`],
    ]),
  );
  assertEquals(lines, turns.map(([pair, [, side]]) => `pair ${pair} of 3: ${side}`));
  assertEquals(ran, {
    folders: [1, 2, 3].map((pair) =>
      [`/ab/pair_${pair}/baseline`, `/ab/pair_${pair}/candidate`] as const
    ),
    status: 0,
  });
});

Deno.test("runs with wrong rows are compared all the same", async () => {
  const { ran, started, lines } = await paired(3, 0, 3);
  assertEquals([ran.folders.length, ran.status, started.length, lines.length], [3, 0, 6, 6]);
});

Deno.test("a run that cannot be used ends the pairs with its status, and with words but after Ctrl-C", async () => {
  const failed = await paired(0, 0, 6);
  assertEquals([failed.ran.status, failed.started.length], [6, 3]);
  assertEquals(failed.ran.folders, [["/ab/pair_1/baseline", "/ab/pair_1/candidate"]]);
  assertEquals(
    failed.lines.at(-1),
    "error: Cannot compare: the candidate's run ended with status 6",
  );
  const cut = await paired(130);
  assertEquals([cut.ran, cut.lines], [{ folders: [], status: 130 }, ["pair 1 of 3: baseline"]]);
});
