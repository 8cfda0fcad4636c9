import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { inProcess } from "./in_process.ts";

const MODEL = new URL("../../models/mistral_7b.json", import.meta.url).pathname;

Deno.test("ranks shows the table and the groups of a layout", async () => {
  const { status, stdout } = await inProcess([
    "ranks",
    "--model",
    MODEL,
    "-tp",
    "2",
    "-pp",
    "2",
    "-dp",
    "2",
  ]);
  assertEquals(status, 0);
  const rows = stdout.split("\n").slice(1, 9).map((line) =>
    line.trim().split(/\s+/).slice(0, 5).join(" ")
  );
  assertEquals(rows, [
    "0 0 0 0 0-15",
    "1 0 0 1 0-15",
    "2 0 1 0 16-31",
    "3 0 1 1 16-31",
    "4 1 0 0 0-15",
    "5 1 0 1 0-15",
    "6 1 1 0 16-31",
    "7 1 1 1 16-31",
  ]);
  assertStringIncludes(stdout, "TP  {0,1} {2,3} {4,5} {6,7}");
  assertStringIncludes(stdout, "PP  {0,2} {1,3} {4,6} {5,7}");
  assertStringIncludes(stdout, "DP  {0,4} {1,5} {2,6} {3,7}");
});

Deno.test("ranks.csv has the promised columns, cut as tensor parallelism cuts", async () => {
  const args = ["ranks", "--model", MODEL, "-tp", "16", "--csv"];
  const { stdout } = await inProcess(args);
  const promised = await Deno.readTextFile(
    new URL("../records/promised/ranks.csv", import.meta.url),
  );
  assert(stdout.startsWith(`${promised.trim()},`), stdout);
  const rows = parse(stdout, { skipFirstRow: true });
  assertEquals(rows.length, 16);
  for (const row of rows) {
    assertEquals([row["query_heads"], row["kv_heads"], row["kv_head_replicas"]], ["2", "1", "2"]);
    assertEquals(row["weight_bytes_allocated"], "");
  }
});

Deno.test("an illegal layout is status 2 with the rule and the nearest legal sizes", async () => {
  for (
    const [args, message] of [
      [["-tp", "3"], /padded vocabulary 32000.*nearest legal: 2 and 4/],
      [["-pp", "33"], /33 stages: legal are 1 to 32/],
      [["-dp", "0"], /"0": legal is 1 or more/],
      [["--layout", "deepspeed"], /vllm, megatron/],
    ] as const
  ) {
    const { status, stdout, stderr } = await inProcess(["ranks", "--model", MODEL, ...args]);
    assertEquals([status, stdout], [2, ""], stderr);
    assertMatch(stderr, message);
  }
});
