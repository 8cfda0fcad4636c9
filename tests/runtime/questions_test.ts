import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RankError } from "../../collectives/rank_error.ts";
import { DEADLINES_MS } from "../../runtime/rank_pool.ts";
import type { PlantedFault } from "./fault_injection.ts";
import { type OpenLayout, openLayout, startFaulty } from "./open_layout.ts";
import { tinyModel } from "./tiny.ts";

/** Two stages, of which the second is at fault. */
const SIZES = [1, 2, 1];
const MODEL = tinyModel({ num_hidden_layers: 2 });
const SIZE = { tokens: 1, logitsRows: 1 };

/** A fault, and what is said of it; `stick` and `hang` answer no more, one of them deaf. */
const FAULTS: readonly (readonly [PlantedFault["how"], PlantedFault["when"], did: string])[] = [
  ["stick", "join", String.raw`did nothing within 1000 ms \(opening its device\)`],
  ["hang", "join", String.raw`did nothing within 1000 ms \(opening its device\)`],
  ["throw", "join", String.raw`threw: planted failure \(opening its device\)`],
  ["exit", "join", String.raw`exited \(opening its device\)`],
  ["hang", "prepare", String.raw`did nothing within 300 ms \(at prepare\)`],
  ["throw", "logits", String.raw`threw: planted failure \(at logits\)`],
  ["stick", "logits", String.raw`did nothing within 300 ms \(at logits\)`],
  ["stick", "report", String.raw`did nothing within 300 ms \(at report\)`],
  ["exit", "report", String.raw`exited \(at report\)`],
];

function openFaulty(fault: PlantedFault, signal?: AbortSignal): Promise<OpenLayout> {
  return openLayout(MODEL, SIZES, {
    deadlinesMs: { join: 1000, prepare: 300, logits: 300, report: 300 },
    startWorker: startFaulty(1, fault),
    signal,
  });
}

for (const [how, when, did] of FAULTS) {
  Deno.test(`a rank that does ${how} at ${when} ends its layout with an error that names it and what it was at`, async () => {
    const ask = async () => {
      await using open = await openFaulty({ how, when });
      const [pool] = open.pools;
      await pool!.prepare([SIZE]);
      await pool!.report();
      await pool!.logits(1);
    };
    const { message, fault } = await assertRejects(ask, RankError);
    assertEquals(fault.globalRank, 1);
    assertMatch(message, new RegExp(`^Cannot go on: rank 1 ${did}$`));
  });
}

Deno.test("an interrupt ends the wait for a rank that hangs, with its own reason", async () => {
  const interrupt = new AbortController();
  const reason = new Error("interrupted");
  const opened = assertRejects(
    () => openFaulty({ how: "hang", when: "join" }, interrupt.signal),
    Error,
    "interrupted",
  );
  interrupt.abort(reason);
  assertEquals(await opened, reason); // the deadline's would be a RankError
});

Deno.test("every question has a deadline, none longer than there are timers", () => {
  for (const ms of Object.values(DEADLINES_MS)) assertEquals(ms > 0 && ms < 2 ** 31, true);
});
