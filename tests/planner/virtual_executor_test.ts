import { assert, assertEquals } from "@std/assert";
import { VirtualExecutor } from "../../planner/virtual_executor.ts";
import { generator } from "../../statistics/counter_generator.ts";
import { type BatchResult, EngineCore, type Executor } from "../../schedules/engine_core.ts";
import { Scheduler, type SchedulerOutput } from "../../schedules/scheduler.ts";

/** m prompts of one batch each that generate one token: m micro-batches. */
function microBatches(m: number): Scheduler {
  const scheduler = new Scheduler({ maxNumBatchedTokens: 4, maxNumSeqs: m });
  for (let id = 0; id < m; id++) {
    scheduler.add({ id, promptTokenIds: [1, 2, 3, 4], maxTokens: 1 });
  }
  return scheduler;
}

Deno.test("m micro-batches over p stages take m * p * t one by one and (m + p - 1) * t in a full queue", async () => {
  const t = 7;
  for (const [m, p] of [[1, 1], [1, 4], [4, 2], [16, 2], [5, 3], [8, 8]] as const) {
    const time = async (depth: number) => {
      const executor = new VirtualExecutor(p, depth, { stageUs: () => t });
      const us = await executor.makespanUs(microBatches(m));
      assertEquals(executor.busyUs, m * p * t);
      return us;
    };
    assertEquals(await time(1), m * p * t, `step, m ${m}, p ${p}`);
    assertEquals(await time(p), (m + p - 1) * t, `queue, m ${m}, p ${p}`);
    assertEquals(await time(p + 1), (m + p - 1) * t, `deeper queue, m ${m}, p ${p}`);
  }
});

Deno.test("host time is hidden by one batch more than there are stages", async () => {
  const [m, p, t, h] = [20, 2, 10, 4];
  const time = async (depth: number) => {
    const executor = new VirtualExecutor(p, depth, { stageUs: () => t, hostUs: h });
    return await executor.makespanUs(microBatches(m));
  };
  assertEquals(await time(1), m * (p * t + h));
  // Depth p: a batch is launched h after the result two before it, so two batches take p * t + h.
  assertEquals(await time(p), (m / 2 - 1) * (p * t + h) + h + (p + 1) * t);
  assertEquals(await time(p + 1), h + (m + p - 1) * t);
});

Deno.test("the slowest stage sets the pace, and hops delay the first result only", async () => {
  const stages = [3, 9, 5];
  const executor = new VirtualExecutor(3, 8, { stageUs: (s) => stages[s]!, p2pLatencyUs: 2 });
  const m = 12;
  assertEquals(await executor.makespanUs(microBatches(m)), 3 + 9 + 5 + 2 * 2 + (m - 1) * 9);
});

Deno.test("one group of requests is naive whatever the depth; two groups fill two stages", async () => {
  const time = async (maxSeqsPerBatch: number, depth: number) => {
    const limits = { maxNumBatchedTokens: 64, maxNumSeqs: 16, maxSeqsPerBatch };
    const scheduler = new Scheduler(limits);
    for (let id = 0; id < 16; id++) scheduler.add({ id, promptTokenIds: [1], maxTokens: 10 });
    const executor = new VirtualExecutor(2, depth, { stageUs: () => 1 });
    return await executor.makespanUs(scheduler);
  };
  assertEquals(await time(16, 1), 20);
  assertEquals(await time(16, 2), 20);
  assertEquals(await time(8, 1), 40);
  assertEquals(await time(8, 2), 21);
});

/** Checks what must hold of every batch in flight. */
class Watching implements Executor<BatchResult> {
  readonly maxConcurrentBatches: number;
  most = 0;
  readonly #inner: VirtualExecutor;
  readonly #budget: number;
  #inFlight: SchedulerOutput[] = [];

  constructor(inner: VirtualExecutor, budget: number) {
    this.maxConcurrentBatches = inner.maxConcurrentBatches;
    this.#inner = inner;
    this.#budget = budget;
  }

  submit(batch: SchedulerOutput) {
    this.#inFlight.push(batch);
    this.most = Math.max(this.most, this.#inFlight.length);
    assert(this.#inFlight.length <= this.maxConcurrentBatches);
    const tokens = batch.scheduled.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
    assert(tokens <= this.#budget, `${tokens} tokens`);
    assertEquals(new Set(batch.scheduled.map((p) => p.requestId)).size, batch.scheduled.length);
    const decoding = this.#inFlight.flatMap(({ scheduled }) =>
      scheduled.filter(({ isSampled }) => isSampled).map(({ requestId }) => requestId)
    );
    assertEquals(new Set(decoding).size, decoding.length, "a request is sampled twice at once");
    return this.#inner.submit(batch);
  }

  /** The oldest came back. */
  took(batch: SchedulerOutput): void {
    assert(this.#inFlight.shift() === batch, "not the oldest came back");
  }
}

Deno.test("random traces: FIFO, the budget is kept, no request is in two in-flight decode batches", async () => {
  const unit = generator("traces", 12345);
  const random = (most: number) => 1 + Math.floor(unit() * most);
  let fullQueues = 0;
  for (let round = 0; round < 200; round++) {
    const [budget, seqs, depth, stages] = [random(20), random(8), random(4), random(4)];
    const limits = { maxNumBatchedTokens: budget, maxNumSeqs: seqs, maxSeqsPerBatch: random(8) };
    const scheduler = new Scheduler(limits);
    const requests = Array.from({ length: random(12) }, (_, id) => ({
      id,
      promptTokenIds: Array.from({ length: random(30) }, (_, i) => i),
      maxTokens: random(6),
    }));
    requests.forEach((request) => scheduler.add(request));
    const virtual = new VirtualExecutor(stages, depth, { stageUs: () => 1 });
    const executor = new Watching(virtual, budget);
    const engine = new EngineCore(scheduler, executor);
    const computed = new Map<number, number>();
    const generated = new Map<number, number>();
    for (let calls = 0; engine.isBusy; calls++) {
      assert(calls < 10_000, "no end");
      const out = await engine.step();
      if (!out) continue;
      executor.took(out.batch);
      for (const { requestId, start, tokenIds } of out.batch.scheduled) {
        assertEquals(start, computed.get(requestId) ?? 0, "tokens in order, none twice");
        computed.set(requestId, start + tokenIds.length);
      }
      for (const { requestId } of out.newTokens) {
        generated.set(requestId, (generated.get(requestId) ?? 0) + 1);
      }
    }
    for (const { id, maxTokens } of requests) assertEquals(generated.get(id), maxTokens);
    if (executor.most === depth && depth > 1) fullQueues++;
  }
  assert(fullQueues > 50, `the queue was full in ${fullQueues} rounds only`);
});
