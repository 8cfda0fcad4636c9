import { assert, assertEquals } from "@std/assert";
import type { Session } from "../../../bench/measure/session.ts";
import { TuningStore } from "../../../bench/measure/tuning_store.ts";
import type { LoopRequest } from "../../../bench/suites/collectives/collective_loop.ts";
import { CollectiveRanks } from "../../../bench/suites/collectives/collective_ranks.ts";
import { runCollectives } from "../../../bench/suites/collectives/run_collectives.ts";
import type { Progress, SuiteRun } from "../../../bench/suites/suite_run.ts";
import type { AdapterIdentity } from "../../../device/adapter.ts";
import { readRows } from "../../../records/files/csv_rows.ts";
import type { CollectiveRow } from "../../../records/rows/row.ts";
import { inFolder } from "../../in_folder.ts";
import { resolved } from "../../config/resolved.ts";

const CONFIG = resolved({
  measure: { min_time_ms: 1, min_samples: 2, max_noise_pct: 100, timeout_s: 9 },
  collectives: {
    ...{ ops: ["broadcast"], ranks: [2, 3], sizes: "8B,1KiB", algorithms: ["ring", "two_shot"] },
    ...{ transports: ["workers"], memory: ["host"] },
  },
});
const CANARY = {
  ...{ canary_start_multiply_add_us: 1, canary_multiply_add_us: 1 },
  ...{ canary_start_copy_us: 1, canary_copy_us: 1 },
};

interface Played {
  readonly finished?: SuiteRun<CollectiveRow>["finished"];
  /** The latency of a link, in us. */
  readonly alphaUs?: number;
  readonly stopped?: boolean;
}

/** Runs the suite in a folder on ranks that are played; gives what was opened, told and saved. */
async function ran(folder: string, { finished = new Map(), alphaUs = 1000, stopped }: Played = {}) {
  const stop = new AbortController();
  if (stopped) stop.abort();
  const [rows, progress, opened] = [[] as CollectiveRow[], [] as Progress[], [] as number[]];
  const { open } = CollectiveRanks;
  CollectiveRanks.open = ({ ranks }) => {
    opened.push(ranks);
    const pool = {
      measure: ({ op, count }: LoopRequest) => {
        const us = op === "send_recv" ? ranks * alphaUs + 4 * count : 5000;
        const one = { timesUs: [us], readUs: [], exchangeUs: [], writeUs: [] };
        const right = { ...one, wrongElements: 0, maxAbsError: 0, tolerance: 0 };
        return Promise.resolve(new Array(ranks).fill(right));
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    return Promise.resolve(pool as unknown as CollectiveRanks);
  };
  const tuning = TuningStore.open({ name: "an adapter" } as AdapterIdentity);
  let saved = 0;
  tuning.save = () => Promise.resolve(void saved++);
  const session: unknown = {
    device: { clock: "gpu", identity: { name: "a", type: "software" } },
    canary: { read: () => Promise.resolve(CANARY) },
    time: { ranks: (run: () => unknown) => run() },
    tuning,
  };
  try {
    await runCollectives(CONFIG, session as Session, {
      ...{ runId: "run 1", folder, filter: undefined, memoryBytes: 0, signal: stop.signal },
      finished,
      onRow: ({ row }) => void rows.push(row),
      onProgress: (one) => void progress.push(one),
    });
  } finally {
    CollectiveRanks.open = open;
  }
  return { rows, progress: progress.map(({ done, total }) => [done, total]), opened, saved };
}

const links = (folder: string) =>
  readRows(`${folder}/links.csv`).rows.map((row) =>
    [row["transport"], row["memory"], row["ranks"], Math.round(Number(row["alpha_us"]))].join(" ")
  );

Deno.test("each group of ranks is opened once; its cases become rows, its link a line of links.csv", () =>
  inFolder(async (folder) => {
    const { rows, progress, opened, saved } = await ran(folder);
    assertEquals([opened, saved, rows.length], [[2, 3], 2, 8]);
    assertEquals(progress, [1, 2, 3, 4, 5, 6, 7, 8].map((done) => [done, 8]));
    assert(rows.every(({ run_id, status }) => run_id === "run 1" && status === "ok"));
    assertEquals(rows.map((row) => row["logical_ranks"]), [2, 2, 2, 2, 3, 3, 3, 3]);
    assertEquals(links(folder), ["workers host 2 2000", "workers host 3 3000"]);
    const [line] = readRows(`${folder}/links.csv`).rows;
    assert(
      Number(line!["alpha_us_ci_low"]) <= 2000.001 && Number(line!["alpha_us_ci_high"]) >= 1999,
    );
    assert(Math.abs(Number(line!["bandwidth_gbytes_per_s"]) - 0.001) < 1e-6);
  }));

Deno.test("a resumed run measures what is missing: rows, or a link alone, in place of an older one", () =>
  inFolder(async (folder) => {
    const { rows } = await ran(folder);
    const keyed = rows.map((row) => [row.row_key!, { row, series: {} }] as const);
    const whole = await ran(folder, { finished: new Map(keyed) });
    assertEquals([whole.opened, whole.rows, whole.progress], [[], [], [[8, 8]]]);
    const few = await ran(folder, { finished: new Map(keyed.slice(0, 6)), alphaUs: 500 });
    assertEquals([few.opened, few.rows.length, few.progress], [[3], 2, [[6, 8], [7, 8], [8, 8]]]);
    assertEquals(links(folder), ["workers host 2 2000", "workers host 3 1500"]);
    await Deno.remove(`${folder}/links.csv`);
    const alone = await ran(folder, { finished: new Map(keyed) });
    assertEquals([alone.opened, alone.rows, links(folder).length], [[2, 3], [], 2]);
  }));

Deno.test("after an interrupt no ranks are opened", () =>
  inFolder(async (folder) => {
    const { opened, saved } = await ran(folder, { stopped: true });
    assertEquals([opened, saved], [[], 0]);
  }));
