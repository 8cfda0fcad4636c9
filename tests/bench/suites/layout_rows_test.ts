import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  writeFailed,
  writeRows,
  writeUnmeasured,
} from "../../../bench/suites/schedules/layout_rows.ts";
import { RankError } from "../../../collectives/rank_error.ts";
import { stageCosts, stageProgram, wholeDecoder } from "../../../model/stage_program.ts";
import { LogitsError } from "../../../schedules/logits_error.ts";
import { ALONE, CANARY, CONFIG, GROUP, played, QUEUED } from "./played_layout.ts";

Deno.test("a layout's rows have its ranks' bytes, its requests' tokens and every series", async () => {
  const world = played();
  const layout = world.open([ALONE]);
  await layout.repeat(layout.measured[0]!);
  await writeRows(layout, [layout], world.suite);
  const [{ row, series, facts }] = world.rows as [typeof world.rows[number]];
  assertEquals([row["weight_bytes"], row["kv_cache_bytes"], row["oversubscribed"]], [30, 3, false]);
  assertEquals([row["suite"], row["run_id"], row["status"]], ["schedules", "run 1", "ok"]);
  assertEquals([row["reference_tokens"], row["reference_mismatches"]], [3, 0]);
  const { busy_ms, fill_drain_ms, host_gap_ms, idle_ms, imbalance_ms, transfer_ms, ...rest } =
    series;
  assertEquals(rest, {
    host_us: [2000, 3000],
    gpu_us: [1200, 2500],
    submit_us: [10, 11],
    wait_us: [20, 21],
    wall_ms: [6],
    ttft_ms: [2, 3],
    tpot_ms: [1],
    itl_ms: [4],
    e2e_ms: [5, 6],
    engine_us: [1000],
    mismatched_tokens: [0],
    ranks_wall_ms: [6],
    round: [0, 0],
  });
  const parts = [busy_ms, transfer_ms, fill_drain_ms, imbalance_ms, host_gap_ms].map((one) =>
    one![0]!
  );
  // 3.7 ms on the adapter; 0.55 ms beside it within steps and 1.75 ms between them.
  [3.7, 0, 0, 0, 2.3].forEach((ms, i) => assertAlmostEquals(parts[i]!, ms, 1e-9));
  assertAlmostEquals(idle_ms![0]!, 1.75, 1e-9);
  const stage = wholeDecoder(CONFIG.model, world.suite.cacheConfig);
  const flops = [0, 1].map((position) => {
    const costs = stageCosts(
      stageProgram(stage, { tokens: 2, logitsRows: 2 }, {
        ...{
          tokenIds: [7, 7],
          positions: [position, position],
          slots: [0, 1],
          logitsIndices: [0, 1],
        },
      }),
    );
    return costs.reduce((sum, cost) => sum + cost.flops, 0);
  });
  const { ideal_us, ...others } = facts!;
  assertAlmostEquals(Number(ideal_us) / ((flops[0]! + flops[1]!) / 2000), 1, 1e-12);
  assertEquals(others, { ...CANARY, generated_tokens: 6 });
  assertEquals(world.traces, ["step tp=1 pp=1 dp=1 depth=1"]);
});

Deno.test("more ranks than cores, or than adapters, are marked; only one rank has an ideal time", async () => {
  for (
    const [type, isMarked] of [["software", navigator.hardwareConcurrency < 2], ["discrete", true]]
  ) {
    const world = played({ type: type as string });
    const layout = world.open([GROUP]);
    await layout.repeat(layout.measured[0]!);
    await writeRows(layout, [layout], world.suite);
    const { row, facts } = world.rows[0]!;
    assertEquals([row["oversubscribed"], row["logical_ranks"]], [isMarked, 2], `${type}`);
    assertEquals("ideal_us" in facts!, false);
  }
});

Deno.test("cases of a layout that failed have rows that say why", async () => {
  const why = async (error: unknown) => {
    const world = played();
    await writeFailed([ALONE, QUEUED], world.suite, error);
    assertEquals(world.rows.map(({ row }) => row["samples"]), [0, 0]);
    return world.rows.map(({ row }) => `${row["schedule"]} ${row["status"]} ${row["reason"]}`);
  };
  const logits = Object.assign(Object.create(LogitsError.prototype), { message: "not finite" });
  assertEquals(await why(logits), [
    "step wrong not finite",
    "step_with_batch_queue wrong not finite",
  ]);
  assertEquals((await why(new Error("other")))[0], "step failed recovered other");
  const rank = Object.assign(Object.create(RankError.prototype), { message: "rank 1 threw\nx" });
  assertEquals((await why(rank))[0], "step failed rank 1 threw");
  const world = played();
  const layout = world.open([ALONE]);
  layout.error = new Error("ended");
  await writeRows(layout, [layout], world.suite);
  assertEquals(world.rows.map(({ row }) => row["reason"]), ["recovered ended"]);
  await writeUnmeasured([GROUP], world.suite, { status: "skipped", reason: "no room" });
  const { row, series } = world.rows[1]!;
  assertEquals([row["status"], row["reason"], row["logical_ranks"], series], [
    "skipped",
    "no room",
    2,
    {},
  ]);
});
