import { assertEquals } from "@std/assert";
import {
  caseProblem,
  type CollectiveCase,
  collectiveCases,
  collectiveKey,
  collectiveLabel,
} from "../../../bench/suites/collectives/collective_cases.ts";
import { kernelCases, kernelKey, kernelLabel } from "../../../bench/suites/kernels/kernel_cases.ts";
import {
  limitsOf,
  type ScheduleCase,
  scheduleCases,
  scheduleKey,
  type ScheduleWork,
} from "../../../bench/suites/schedules/schedule_cases.ts";
import { resolved } from "../../config/resolved.ts";

const CASE: CollectiveCase = {
  op: "all_reduce",
  algorithm: "ring",
  transport: "workers",
  memory: "host",
  ranks: 4,
  messageBytes: 1024,
};

Deno.test("a collective that cannot be run says why", () => {
  const problem = (changes: Partial<CollectiveCase>) => caseProblem({ ...CASE, ...changes });
  const mpi = "this version has no MPI transport";
  assertEquals([problem({ transport: "mpi" }), problem({ algorithm: "native" })], [mpi, mpi]);
  assertEquals([problem({}), problem({ ranks: 16 })], [undefined, undefined]);
  assertEquals(
    problem({ ranks: 17 }),
    "operands are exact for up to 16 ranks (MAX_EXACT_RANKS), not 17",
  );
  const device = { transport: "same_device", memory: "device" } as const;
  assertEquals(problem(device), undefined);
  assertEquals(
    problem({ ...device, op: "argmax", algorithm: "one_shot" }),
    "one_shot argmax needs more than sums, which is all that same_device has",
  );
  assertEquals(problem({ ...device, algorithm: "auto" }), undefined);
  assertEquals(
    problem({ ...device, op: "argmax", algorithm: "auto" }),
    "auto argmax needs more than sums, which is all that same_device has",
  );
  assertEquals(problem({ op: "argmax", algorithm: "auto" }), undefined);
  assertEquals(
    problem({ algorithm: "recursive_doubling", ranks: 3 }),
    "recursive_doubling needs a power of two, not 3 ranks",
  );
  assertEquals(problem({ algorithm: "auto", ranks: 3 }), undefined);
  assertEquals(
    problem({ op: "send_recv", algorithm: "ring" }),
    "send_recv has no algorithm ring",
  );
});

Deno.test("collectives are every operation, size and algorithm on each group of ranks", () => {
  const labels = (keys: Readonly<Record<string, unknown>>, filter?: RegExp) =>
    collectiveCases(resolved({ collectives: keys }), filter).map(collectiveLabel);
  const named = {
    ops: ["broadcast", "all_reduce"],
    algorithms: ["ring", "recursive_doubling"],
    ranks: [2, 3],
    sizes: "8B,1KiB",
    transports: ["workers", "same_device"],
    memory: ["host", "device"],
  };
  const all = labels(named);
  assertEquals(all.length, 3 * 2 * 2 * 2 * 2);
  assertEquals(all.slice(0, 5), [
    "broadcast ring workers host ranks=2 bytes=8",
    "broadcast recursive_doubling workers host ranks=2 bytes=8",
    "broadcast ring workers host ranks=2 bytes=1024",
    "broadcast recursive_doubling workers host ranks=2 bytes=1024",
    "all_reduce ring workers host ranks=2 bytes=8",
  ]);
  assertEquals(all.at(-1), "all_reduce recursive_doubling same_device device ranks=3 bytes=1024");
  assertEquals(all.filter((one) => /same_device host/.test(one)), []);
  assertEquals(labels(named, /ranks=3 bytes=8$/).length, 3 * 2 * 2);
  // All that can be run: without int8 blocks on one device, or doubling of three ranks' sums.
  assertEquals(
    labels({
      ops: ["all_reduce", "argmax"],
      algorithms: "all",
      ranks: [3],
      sizes: "8B",
      transports: "all",
    }),
    [
      "all_reduce one_shot workers host ranks=3 bytes=8",
      "all_reduce two_shot workers host ranks=3 bytes=8",
      "all_reduce ring workers host ranks=3 bytes=8",
      "all_reduce one_shot_int8 workers host ranks=3 bytes=8",
      "all_reduce auto workers host ranks=3 bytes=8",
      "argmax one_shot workers host ranks=3 bytes=8",
      "argmax auto workers host ranks=3 bytes=8",
      "all_reduce one_shot same_device device ranks=3 bytes=8",
      "all_reduce two_shot same_device device ranks=3 bytes=8",
      "all_reduce ring same_device device ranks=3 bytes=8",
      "all_reduce auto same_device device ranks=3 bytes=8",
    ],
  );
  assertEquals(collectiveCases(resolved({})), []);
  assertEquals(collectiveKey(CASE), {
    suite: "collectives",
    model: "",
    dtype: "float32",
    op: "all_reduce",
    algorithm: "ring",
    transport: "workers",
    memory: "host",
    logical_ranks: 4,
    message_bytes: 1024,
  });
});

Deno.test("kernels are every op, share and size, contexts where an op has one, never below its tokens", () => {
  const kernels = {
    ops: ["attention", "ffn", "gemv"],
    tensor_parallel_sizes: [1, 2],
    tokens: [1, 64],
    context: [32, 128],
  };
  const config = resolved({ kernels });
  const cases = kernelCases(config);
  assertEquals(cases.map((c) => [c.op, c.tensorParallelSize, c.tokens, c.context].join(" ")), [
    "attention 1 1 32",
    "attention 1 1 128",
    "attention 1 64 64",
    "attention 1 64 128",
    "attention 2 1 32",
    "attention 2 1 128",
    "attention 2 64 64",
    "attention 2 64 128",
    "ffn 1 1 32",
    "ffn 1 64 64",
    "ffn 2 1 32",
    "ffn 2 64 64",
    "gemv 1 1 32",
    "gemv 2 1 32",
  ]);
  assertEquals([...new Set(cases.map((c) => c.tensorParallelRank))], [0]);
  assertEquals(kernelCases(config, /ffn.*tokens=64/).map(kernelLabel), [
    "ffn float32 tp=1 tokens=64 context=64",
    "ffn float32 tp=2 tokens=64 context=64",
  ]);
  assertEquals(kernelCases(resolved({})), []);
  assertEquals(kernelKey(cases[2]!, { variant: "naive", mode: "cold" }, "tiny"), {
    suite: "kernels",
    model: "tiny",
    op: "attention",
    dtype: "float32",
    tensor_parallel_size: 1,
    tensor_parallel_rank: 0,
    tokens: 64,
    context: 64,
    variant: "naive",
    mode: "cold",
  });
});

const SCHEDULES = {
  layouts: [{ tensor_parallel_size: 2, pipeline_parallel_size: 2 }, { data_parallel_size: 2 }],
  max_num_batched_tokens: 8,
  max_num_seqs: 4,
  requests: { count: 7, prompt_tokens: 4, output_tokens: 2 },
  schedules: ["step", "step_with_batch_queue"],
  max_concurrent_batches: [2, 3],
  admission: ["greedy", "split"],
  head_exchange: ["all_gather", "argmax"],
  sliced_sends: [false, true],
  router: "round_robin",
};

Deno.test("schedules differ in what their layout has: exchanges of groups, sends of stages", () => {
  const config = resolved({ schedules: SCHEDULES });
  const cases = scheduleCases(config);
  const big = cases.filter(({ layout }) => layout.tensor_parallel_size === 2);
  assertEquals([big.length, cases.length - big.length], [2 * 2 * 2 * 3, 2 * 3]);
  assertEquals(
    big.slice(0, 7).map((c) =>
      [
        c.way.head,
        c.way.slicedSends,
        c.admission,
        c.schedule,
        c.maxConcurrentBatches,
      ].join(" ")
    ),
    [
      "all_gather false greedy step 1",
      "all_gather false greedy step_with_batch_queue 2",
      "all_gather false greedy step_with_batch_queue 3",
      "all_gather false split step 1",
      "all_gather false split step_with_batch_queue 2",
      "all_gather false split step_with_batch_queue 3",
      "all_gather true greedy step 1",
    ],
  );
  const other = cases.filter(({ layout }) => layout.data_parallel_size === 2);
  assertEquals([...new Set(other.map((c) => `${c.way.head} ${c.way.slicedSends}`))], [
    "all_gather false",
  ]);
  const only = (layout: Readonly<Record<string, number>>) =>
    scheduleCases(resolved({ schedules: { ...SCHEDULES, layouts: [layout] } })).length;
  assertEquals(only({ tensor_parallel_size: 2 }), 2 * 2 * 3);
  assertEquals(only({ pipeline_parallel_size: 2 }), 2 * 3);
  assertEquals(scheduleCases(config, /split.*depth=3|depth=3.*split/).length, 2 * 2 + 1);
  assertEquals(scheduleCases(resolved({})), []);
});

Deno.test("a schedule's key says what it serves, on which layout and how", () => {
  const layouts = [{ pipeline_parallel_size: 2, stage_layers: [12, 20], order: "megatron" }];
  const config = resolved({ dtype: "float16", schedules: { ...SCHEDULES, layouts } });
  const request = { id: 0, promptTokenIds: [1, 2, 3], maxTokens: 4, arrivalMs: 0 };
  const work = { config, requests: [request] } as unknown as ScheduleWork;
  assertEquals(scheduleKey(scheduleCases(config)[4]!, work), {
    suite: "schedules",
    model: "mistral_7b",
    dtype: "float16",
    schedule: "step_with_batch_queue",
    tensor_parallel_size: 1,
    pipeline_parallel_size: 2,
    data_parallel_size: 1,
    max_concurrent_batches: 2,
    admission: "split",
    head_exchange: "all_gather",
    sliced_sends: false,
    layout_order: "megatron",
    stage_layers: "12 20",
    requests: 1,
    prompt_tokens: 3,
    output_tokens: 4,
    arrivals: "at once",
    max_num_batched_tokens: 8,
    max_num_seqs: 4,
    router: "round_robin",
    threads_per_rank: "shared out",
  });
  const threads = resolved({ schedules: { ...SCHEDULES, threads_per_rank: 3 } });
  const key = scheduleKey(scheduleCases(threads)[0]!, { ...work, config: threads });
  assertEquals([key.threads_per_rank, key.stage_layers], ["3", "even"]);
});

Deno.test("split admission gives each batch in flight and each stage an equal part of what runs", () => {
  const config = resolved({ schedules: { ...SCHEDULES, max_num_seqs: 12 } });
  const limits = (requests: number, changes: Partial<ScheduleCase>, sizes = {}) => {
    const [first] = scheduleCases(config);
    const layout = { ...first!.layout, ...sizes };
    const work = { config, requests: Array(requests).fill({}) } as unknown as ScheduleWork;
    return limitsOf({ ...first!, admission: "split", ...changes, layout }, work);
  };
  const all = { maxNumBatchedTokens: 8, maxNumSeqs: 12 };
  assertEquals(limits(20, { admission: "greedy" }), all);
  assertEquals(limits(20, { maxConcurrentBatches: 5 }), { ...all, maxSeqsPerBatch: 3 });
  assertEquals(limits(20, { maxConcurrentBatches: 1 }), { ...all, maxSeqsPerBatch: 6 });
  assertEquals(limits(7, { maxConcurrentBatches: 3 }), { ...all, maxSeqsPerBatch: 3 });
  const replicas = { data_parallel_size: 2 };
  assertEquals(limits(7, { maxConcurrentBatches: 2 }, replicas), { ...all, maxSeqsPerBatch: 2 });
  assertEquals(limits(18, { maxConcurrentBatches: 3 }, replicas), { ...all, maxSeqsPerBatch: 3 });
});
