import { assertEquals } from "@std/assert";
import type { LoadedRun, TextRow } from "../../records/run_folder/load_run.ts";
import { replayed } from "../../report/replay_runs.ts";

const ROW: TextRow = {
  ...{ row_key: "k", op: "gemm", status: "ok", steps: "4", sends: "2" },
  ...{ time_us_median: "100", time_us_ci_low: "90", time_us_ci_high: "110" },
};

function runOf(
  rows: readonly TextRow[],
  manifest: Readonly<Record<string, unknown>> = {},
): LoadedRun {
  return {
    path: "run",
    manifest: { ...manifest } as unknown as LoadedRun["manifest"],
    suites: [{ suite: "kernels", path: "kernels.csv", headers: [], rows }],
    samples: new Map(),
  };
}

/** What is said of a row and its replay, with 10 % of tolerance. */
function said(again: TextRow, before: TextRow = {}) {
  const { rows } = replayed(
    runOf([{ ...ROW, ...before }]),
    runOf([{ ...ROW, ...before, ...again }]),
    10,
  );
  return rows.map(({ verdict, reason }) => `${verdict}: ${reason}`).join();
}

Deno.test("a row is reproduced where its counts are equal and its times not apart", () => {
  assertEquals(replayed(runOf([ROW]), runOf([ROW]), 10), {
    rows: [{ verdict: "reproduced", label: "gemm", reason: "time 1.000 of what it was" }],
    ...{ machine: [], shaders: [] },
  });
  assertEquals(replayed(runOf([ROW]), runOf([]), 10).rows[0]!.reason, "it is not in the new run");
  assertEquals(replayed(runOf([ROW]), runOf([]), 10).rows[0]!.verdict, "not reproduced");
  assertEquals(
    said({ time_us_median: "120", time_us_ci_low: "121" }),
    "reproduced: time 1.200 of what it was",
  );
  assertEquals(
    said({ time_us_median: "150", time_us_ci_low: "121.1" }),
    "not reproduced: time 1.500 of what it was",
  );
  assertEquals(said({ time_us_ci_high: "82" }), "reproduced: time 1.000 of what it was");
  assertEquals(said({ time_us_ci_high: "81.8" }), "not reproduced: time 1.000 of what it was");
  assertEquals(said({ time_us_median: "" }, { time_us_median: "0" }), "reproduced: no time");
});

Deno.test("counts and results must be equal, but for those that scheduling or choice varies", () => {
  for (
    const column of [
      ...["status", "wrong_elements", "max_abs_error", "tolerance", "flops", "bytes", "elements"],
      ...["steps", "sent_bytes_per_rank", "token_mismatches", "all_reduces", "all_gathers"],
      ...["sends", "collective_bytes", "weight_bytes", "kv_cache_bytes"],
    ]
  ) {
    assertEquals(
      said({ [column]: "9" }, { [column]: "" }),
      `not reproduced: ${column} was blank and is 9`,
    );
    assertEquals(
      said({ [column]: "" }, { [column]: "8" }),
      `not reproduced: ${column} was 8 and is blank`,
    );
  }
  const same = "reproduced: time 1.000 of what it was";
  const queue = { schedule: "step_with_batch_queue" };
  const auto = { algorithm: "auto" };
  for (const column of ["all_reduces", "all_gathers", "sends", "collective_bytes"]) {
    assertEquals(said({ [column]: "9" }, queue), same);
  }
  for (const column of ["steps", "sent_bytes_per_rank"]) {
    assertEquals(said({ [column]: "9" }, auto), same);
  }
  assertEquals(said({ steps: "9" }, queue), "not reproduced: steps was 4 and is 9");
  assertEquals(said({ sends: "9" }, auto), "not reproduced: sends was 2 and is 9");
  assertEquals(said({ steps: "9" }, { schedule: "step" }), "not reproduced: steps was 4 and is 9");
});

Deno.test("on another machine results count alone; shaders of another text are named", () => {
  const machine = (fields = {}, name = "an adapter") => ({
    adapter: { name },
    environment: { cpu_model: "a", logical_cores: 2, os: "linux", ...fields },
  });
  const of = (manifest: Readonly<Record<string, unknown>>, row: TextRow = ROW) =>
    replayed(runOf([ROW], machine()), runOf([row], manifest), 10);
  assertEquals(of(machine()).machine, []);
  assertEquals(of(machine({ cpu_model: "b", logical_cores: 4, os: "darwin" }, "another")).machine, [
    "different machine: adapter was an adapter and is another",
    "different machine: cpu_model was a and is b",
    "different machine: logical_cores was 2 and is 4",
    "different machine: os was linux and is darwin",
  ]);
  const other = machine({ os: "darwin" });
  assertEquals(of(other, { ...ROW, time_us_ci_low: "999" }).rows, [
    { verdict: "different machine", label: "gemm", reason: "results are equal" },
  ]);
  assertEquals(of(other, { ...ROW, steps: "9" }).rows[0]!.verdict, "not reproduced");
  const shaders = (shaders: Readonly<Record<string, string>>) => runOf([], { shaders });
  assertEquals(
    replayed(shaders({ b: "1", a: "1", same: "3" }), shaders({ same: "3", b: "2", c: "4" }), 10)
      .shaders,
    ["shader a: 1, now not used", "shader b: 1, now 2", "shader c: not used, now 4"],
  );
});
