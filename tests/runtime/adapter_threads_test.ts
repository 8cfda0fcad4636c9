import { assertEquals, assertRejects } from "@std/assert";
import { withAdapterThreads } from "../../runtime/adapter_threads.ts";
import { withOwnVariables } from "../own_variables.ts";

const VARIABLE = "LP_NUM_THREADS";

Deno.test("openings at once see their own number of threads, and leave the variable as it was", async () => {
  for (const before of [undefined, "7"]) {
    await withOwnVariables({ [VARIABLE]: before }, () => openAtOnce(before));
  }
});

async function openAtOnce(before: string | undefined): Promise<void> {
  const seen: (readonly [threads: number | undefined, ...values: (string | undefined)[]])[] = [];
  const open = (threads: number | undefined) =>
    withAdapterThreads(threads, async () => {
      const first = Deno.env.get(VARIABLE);
      // The first to begin is the last to end, were they not one after another.
      for (let turns = 4 - (threads ?? 0); turns > 0; turns--) await Promise.resolve();
      seen.push([threads, first, Deno.env.get(VARIABLE)]);
      if (threads === 2) throw new Error("cannot open");
    });
  const openings = [open(1), open(2), open(undefined), open(3)];
  await assertRejects(() => openings[1]!, Error, "cannot open");
  await Promise.allSettled(openings);
  const expected = [[1, "1", "1"], [2, "2", "2"], [undefined, before, before], [3, "3", "3"]];
  assertEquals(seen as unknown, expected);
  assertEquals(Deno.env.get(VARIABLE), before);
}
