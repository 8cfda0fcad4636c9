import { assertEquals, assertNotEquals } from "@std/assert";
import { fuzzCase, fuzzSources } from "../../_tools/fuzz/fuzz_case.ts";
import { outcomeProblem, writeCase } from "../../_tools/fuzz/judge_case.ts";
import { main } from "../../cli/main.ts";
import { inFolder } from "../in_folder.ts";

const SOURCES = fuzzSources(new URL("../../", import.meta.url));
/** Cases that open a device take too long here; `deno task fuzz` has them. */
const CASES = Array.from({ length: 150 }, (_, seed) => fuzzCase(seed, SOURCES))
  .filter(({ kind }) => kind !== "checkpoint");

/** Runs a command line in this process: its status, and what it printed. */
async function printed(args: readonly string[]) {
  const texts = { stdout: "", stderr: "" };
  const { log, error } = console;
  console.log = (...words: unknown[]) => void (texts.stdout += `${words.join(" ")}\n`);
  console.error = (...words: unknown[]) => void (texts.stderr += `${words.join(" ")}\n`);
  try {
    return [await main(args), texts] as const;
  } finally {
    Object.assign(console, { log, error });
  }
}

Deno.test("command lines over damaged files end with a documented status and a short message", async () => {
  const kinds = new Map<string, number>();
  for (const one of CASES) {
    await inFolder(async (folder) => {
      writeCase(one, folder);
      const args = one.args.map((word) => word.replaceAll("{folder}", folder));
      // Help goes to the process's own output, and what would run opens a device.
      if (args.includes("--help") || (args[0] === "run" && !args.includes("--dry-run"))) return;
      const [status, texts] = await printed(args);
      kinds.set(one.kind, (kinds.get(one.kind) ?? 0) + 1);
      const problem = outcomeProblem(status, texts);
      assertEquals(problem, undefined, `seed ${one.seed}, ${one.kind}: ${one.args.join(" ")}`);
    });
  }
  assertEquals([...kinds.keys()].sort(), [
    "configuration",
    "model",
    "run",
    "set",
    "trace",
    "words",
  ]);
});

Deno.test("a seed decides a case; bad ends are told apart from good ones", () => {
  assertEquals(fuzzCase(7, SOURCES), fuzzCase(7, SOURCES));
  assertNotEquals(fuzzCase(7, SOURCES), fuzzCase(8, SOURCES));
  const none = { stdout: "", stderr: "" };
  assertEquals(outcomeProblem(0, none), undefined);
  assertEquals(outcomeProblem(5, { ...none, stdout: "1 difference" }), undefined);
  assertEquals(outcomeProblem(2, none), "status 2 without a word");
  assertEquals(outcomeProblem(1, { ...none, stderr: "oh" }), "status 1: oh");
  assertEquals(outcomeProblem(134, none), "status 134: ");
  const trace = { ...none, stderr: "error: x\n    at y" };
  assertEquals(outcomeProblem(2, trace)?.startsWith("a stack trace"), true);
  const long = { ...none, stderr: "x".repeat(60_000) };
  assertEquals(outcomeProblem(2, long), "a message of 60000 characters");
});
