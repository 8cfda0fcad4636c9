import { assertEquals, assertThrows } from "@std/assert";
import { CaseRounds } from "../../../bench/suites/collectives/case_rounds.ts";
import type { CollectiveCase } from "../../../bench/suites/collectives/collective_cases.ts";
import type { LoopResult } from "../../../bench/suites/collectives/collective_loop.ts";
import {
  type CollectiveResult,
  collectiveRow,
} from "../../../bench/suites/collectives/collective_row.ts";
import { kernelKey } from "../../../bench/suites/kernels/kernel_cases.ts";
import { kernelRow } from "../../../bench/suites/kernels/kernel_row.ts";
import type { KernelResult } from "../../../bench/suites/kernels/measurement.ts";
import { commonCells, failureReason, stopCriteria } from "../../../bench/suites/suite_run.ts";
import { RankError } from "../../../collectives/rank_error.ts";
import type { Device } from "../../../device/device.ts";
import { resolved } from "../../config/resolved.ts";
import { CANARY, COMMON, CONTEXT } from "./row_context.ts";

Deno.test("cells of every suite name the run, the adapter and how much slower the machine is", () => {
  assertEquals(commonCells(CONTEXT), COMMON);
});

Deno.test("a rank's failure is its first line, a device's is what the device makes of it", () => {
  const told: unknown[] = [];
  const errors = { recover: (error: unknown) => (told.push(error), "recovered") };
  const device = { errors } as unknown as Device;
  const rank = Object.assign(Object.create(RankError.prototype), { message: "rank 1 threw\nmore" });
  assertEquals(failureReason(device, rank), "rank 1 threw");
  const other = new Error("other");
  assertEquals([failureReason(device, other), told], ["recovered", [other]]);
  const recover = () => {
    throw new TypeError("a bug");
  };
  const buggy = { errors: { recover } } as unknown as Device;
  assertThrows(() => failureReason(buggy, other), TypeError, "a bug");
});

Deno.test("a configuration's stop rule has its own names", () => {
  const measure = { min_time_ms: 5, min_samples: 6, max_noise_pct: 7, timeout_s: 8 };
  assertEquals(stopCriteria(resolved({ measure })), {
    minTimeMs: 5,
    minSamples: 6,
    maxNoisePct: 7,
    timeoutS: 8,
  });
});

const KERNEL: KernelResult = {
  case: {
    op: "ffn",
    dtype: "float32",
    tensorParallelSize: 1,
    tensorParallelRank: 0,
    tokens: 4,
    context: 8,
  },
  variant: "naive",
  shaders: ["gemv/naive", "activation/vector"],
  mode: "hot",
  status: "ok",
  reason: "",
  stopReason: "noise_target",
  samples: [
    { gpuUs: 5, hostUs: 50, submitUs: 1 },
    { gpuUs: 6, hostUs: 60, submitUs: 2 },
  ],
  rounds: [0, 1],
  wrongElements: 0,
  maxAbsError: 0.25,
  tolerance: 0.5,
  cost: { flops: 1000, bytesRead: 300, bytesWritten: 20 },
  ceilings: { ceiling_gflops: 9, ceiling_gbytes_per_s: 3 },
  firstDispatchMs: 12,
  pipelineMs: 34,
};

Deno.test("a kernel's row has its clock, its work and what was checked; its series all samples", () => {
  const of = (result: KernelResult) =>
    kernelRow(result, kernelKey(result.case, result, "m"), CONTEXT);
  const { row, series, facts } = of(KERNEL);
  assertEquals(row, {
    suite: "kernels",
    model: "m",
    op: "ffn",
    dtype: "float32",
    tensor_parallel_size: 1,
    tensor_parallel_rank: 0,
    tokens: 4,
    context: 8,
    variant: "naive",
    mode: "hot",
    ...COMMON,
    status: "ok",
    reason: "",
    logical_ranks: 1,
    clock: "gpu",
    stop_reason: "noise_target",
    samples: 0,
    wrong_elements: 0,
    max_abs_error: 0.25,
    tolerance: 0.5,
    verified_iterations: 0,
    flops: 1000,
    bytes: 320,
    readback: "eager",
    first_dispatch_ms: 12,
    pipeline_ms: 34,
    chosen_variant: "gemv/naive activation/vector",
  });
  assertEquals(series, { gpu_us: [5, 6], host_us: [50, 60], submit_us: [1, 2], round: [0, 1] });
  assertEquals(facts, { ...CANARY, ceiling_gflops: 9, ceiling_gbytes_per_s: 3 });
  const late = of({
    ...KERNEL,
    samples: [KERNEL.samples[0]!, { gpuUs: undefined, hostUs: 7, submitUs: 3 }],
    rounds: undefined,
  });
  assertEquals([late.row.clock, late.series], ["host", {
    gpu_us: [5],
    host_us: [50, 7],
    submit_us: [1, 3],
    round: [],
  }]);
});

const CASE: CollectiveCase = {
  op: "reduce_scatter",
  algorithm: "auto",
  transport: "workers",
  memory: "device",
  ranks: 2,
  messageBytes: 24,
};

function loop(timesUs: readonly number[], changes: Partial<LoopResult> = {}): LoopResult {
  const parts = { readUs: [], exchangeUs: [], writeUs: [] };
  return { timesUs, ...parts, wrongElements: 0, maxAbsError: 0, tolerance: 0, ...changes };
}

const RESULT: CollectiveResult = {
  status: "wrong",
  reason: "3 wrong elements",
  ran: "ring",
  ranks: [
    loop([10, 40], {
      ...{ readUs: [1, 2], exchangeUs: [3, 4], writeUs: [5, 6] },
      ...{ wrongElements: 1, maxAbsError: 2, tolerance: 0.5 },
    }),
    loop([20, 30], {
      ...{ readUs: [7, 8], exchangeUs: [9, 1], writeUs: [2, 3] },
      ...{ wrongElements: 2, maxAbsError: 1 },
    }),
  ],
  rounds: [0, 1],
  stopReason: "timeout",
  clock: "host",
};

Deno.test("a collective's row counts its program's steps and bytes; every rank's parts are its series", () => {
  const { row, series, facts } = collectiveRow(RESULT, CASE, CONTEXT);
  const { elements, steps, sent_bytes_per_rank, chosen_algorithm, ...rest } = row;
  assertEquals({ elements, steps, sent_bytes_per_rank, chosen_algorithm }, {
    elements: 6,
    steps: 1,
    sent_bytes_per_rank: 12, // each reads the other's 3 elements of its own chunk
    chosen_algorithm: "ring",
  });
  assertEquals([rest.status, rest.reason, rest.clock, rest.stop_reason], [
    "wrong",
    "3 wrong elements",
    "host",
    "timeout",
  ]);
  assertEquals([rest.wrong_elements, rest.max_abs_error, rest.tolerance], [3, 2, 0.5]);
  assertEquals([rest.adapter, rest.physical_adapters], ["an adapter", 1]);
  assertEquals([rest.time_us_min, rest.time_us_median], [20, 30]);
  assertEquals(series, {
    rank_0_time_us: [10, 40],
    rank_0_read_us: [1, 2],
    rank_0_exchange_us: [3, 4],
    rank_0_write_us: [5, 6],
    rank_1_time_us: [20, 30],
    rank_1_read_us: [7, 8],
    rank_1_exchange_us: [9, 1],
    rank_1_write_us: [2, 3],
    round: [0, 1],
  });
  assertEquals(facts, { ...CANARY, busbw_factor: 0.5, operand_bytes: 24, result_bytes: 12 });
});

Deno.test("a collective on host memory has no adapter, one on one device no bus; overlap is kept", () => {
  const host = collectiveRow(
    { ...RESULT, ranks: [loop([1]), loop([2])], rounds: [0] },
    { ...CASE, memory: "host", algorithm: "ring" },
    CONTEXT,
  );
  const { adapter, adapter_type, physical_adapters, chosen_algorithm } = host.row;
  assertEquals([adapter, adapter_type, physical_adapters, chosen_algorithm], [
    undefined,
    undefined,
    0,
    undefined,
  ]);
  assertEquals(Object.keys(host.series), ["rank_0_time_us", "rank_1_time_us", "round"]);
  const overlap = {
    overlap_collective_us: 1,
    overlap_collective_beside_us: 2,
    overlap_gemm_us: 3,
    overlap_gemm_beside_us: 4,
  };
  const ranks = [loop([5], { readUs: [1], exchangeUs: [2], writeUs: [2] })];
  const one = { ...RESULT, ranks, rounds: [0], clock: "gpu", overlap } as const;
  const same = collectiveRow(one, { ...CASE, transport: "same_device" }, CONTEXT);
  assertEquals(same.facts, { ...CANARY, operand_bytes: 24, result_bytes: 12, ...overlap });
  assertEquals([same.row.clock, same.row.oversubscribed], ["gpu", false]);
  assertEquals(same.series["rank_0_exchange_us"], [2]);
});

Deno.test("a collective that did not run has a row without numbers", () => {
  const none = { status: "skipped", reason: "why", ranks: [], clock: "host" } as const;
  const { row, series } = collectiveRow(none, { ...CASE, ranks: 1000 }, CONTEXT);
  const { steps, sent_bytes_per_rank, clock, wrong_elements, tolerance, oversubscribed } = row;
  assertEquals([steps, sent_bytes_per_rank, clock, wrong_elements, tolerance], [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals([row.status, row.reason, oversubscribed, series], ["skipped", "why", true, {}]);
  const enough = collectiveRow(none, { ...CASE, ranks: navigator.hardwareConcurrency }, CONTEXT);
  assertEquals(enough.row.oversubscribed, false);
});

Deno.test("the turns of a collective are joined rank by rank, the slowest rank's times decide", () => {
  const rounds = new CaseRounds({ minTimeMs: 0, minSamples: 4, maxNoisePct: 1, timeoutS: 1 });
  assertEquals([rounds.ranks, rounds.timesUs], [[], []]);
  const part = { readUs: [1], exchangeUs: [2], writeUs: [3] };
  rounds.endTurn([
    loop([5, 6], { ...part, wrongElements: 1, maxAbsError: 4, tolerance: 2 }),
    loop([7, 4], { wrongElements: 5, tolerance: 2 }),
  ], 1e5);
  assertEquals(rounds.stopReason, undefined);
  rounds.endTurn([
    loop([8], { readUs: [4], exchangeUs: [5], writeUs: [6], wrongElements: 2, maxAbsError: 3 }),
    loop([9], { maxAbsError: 7 }),
  ], 1e6);
  assertEquals(rounds.timesUs, [[7, 6], [9]]);
  assertEquals([rounds.rounds, rounds.stopReason], [[0, 0, 1], "timeout"]);
  assertEquals(rounds.ranks, [
    {
      timesUs: [5, 6, 8],
      readUs: [1, 4],
      exchangeUs: [2, 5],
      writeUs: [3, 6],
      wrongElements: 3,
      maxAbsError: 4,
      tolerance: 2,
    },
    loop([7, 4, 9], { wrongElements: 5, maxAbsError: 7, tolerance: 2 }),
  ]);
});
